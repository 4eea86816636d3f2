{
  'targets': [{
    'target_name': 'seine',
    'type': 'none',
    'actions': [{
      'action_name': 'cmake',
      'inputs': ['CMakeLists.txt'],
      'outputs': ['<(module_root_dir)/prebuilds'],
      'action': ['node', 'scripts/buildNative.mjs'],
    }],
  }],
}
