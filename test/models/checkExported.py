"""Opens exported models by transformers, sentence-transformers and ONNX Runtime and says how far they disagree.

    pip install torch transformers sentence-transformers onnx onnxruntime
    python test/models/checkExported.py <directory>...
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
import torch
import transformers as hf

AUTO = {
    "ForSequenceClassification": hf.AutoModelForSequenceClassification,
    "ForCausalLM": hf.AutoModelForCausalLM,
}
TEXTS = ["This is an example sentence", "sea and river", "a text of its own, " * 6]


def inputs_of(directory, config):
    """Token ids and mask [3, longest], padding on the right."""
    if (directory / "tokenizer_config.json").exists():
        tokenizer = hf.AutoTokenizer.from_pretrained(directory)
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        encoded = tokenizer(TEXTS, padding=True, padding_side="right", return_tensors="pt")
        return encoded["input_ids"], encoded["attention_mask"]
    lengths = [9, 4, 12]
    mask = torch.tensor([[int(i < length) for i in range(12)] for length in lengths])
    ids = torch.randint(3, config["vocab_size"], mask.shape, generator=torch.Generator().manual_seed(0))
    return torch.where(mask.bool(), ids, torch.tensor(config.get("pad_token_id") or 0)), mask


def worst(a, b, mask):
    if a.ndim == 3:
        a, b = a * mask[..., None], b * mask[..., None]
    return float(np.abs(a - b).max() / np.abs(a).max())


ok = True
for directory in map(pathlib.Path, sys.argv[1:]):
    config = json.loads((directory / "config.json").read_text())
    ids, mask = inputs_of(directory, config)
    onnx.checker.check_model(str(directory / "onnx/model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(directory / "onnx/model.onnx")
    feeds = {"input_ids": ids.numpy(), "attention_mask": mask.numpy(), "token_type_ids": np.zeros_like(ids)}
    feeds = {given.name: feeds[given.name] for given in session.get_inputs()}
    [output] = session.get_outputs()
    [got] = session.run(None, feeds)

    head = next((name for name in AUTO if config.get("architectures", [""])[0].endswith(name)), None)
    auto = hf.AutoModel if output.name == "last_hidden_state" else AUTO[head]
    loaded, report = auto.from_pretrained(
        directory, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    with torch.no_grad():
        expected = getattr(loaded.eval()(input_ids=ids, attention_mask=mask), output.name).numpy()
    differences = {"onnx": worst(expected, got, mask.numpy())}

    if (directory / "modules.json").exists():
        from sentence_transformers import SentenceTransformer

        vectors = SentenceTransformer(str(directory), device="cpu").encode(TEXTS)
        pooled = (got * mask.numpy()[..., None]).sum(1) / mask.numpy().sum(1)[:, None]
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        differences["sentence-transformers"] = float(np.abs(vectors - pooled).max())

    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    ok = ok and max(differences.values()) < 1e-4 and not missing and not report["mismatched_keys"]
    print(directory.name, output.name, differences, f"missing: {missing}", f"unexpected: {report['unexpected_keys']}")
sys.exit(0 if ok else 1)
