export { ERRORS, type ErrorCode, SeineError } from '../core/errors.ts';
export type {
  DeviceName,
  Dtype,
  Filter,
  MergeOptions,
  Metric,
  Order,
  Pairs,
  SearchOptions,
  SelectOptions,
  TopK,
  TopKList,
} from '../core/types.ts';
export type { Appended, Compacted, Device, Rows, UploadOptions } from '../device/device.ts';
export { openWebgpu } from './openWebgpu.ts';
