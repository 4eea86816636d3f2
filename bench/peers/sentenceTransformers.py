"""Cross-encoders by sentence-transformers on PyTorch, for bench/rank.bench.ts.

A request is a line of JSON on standard input, the answer a line of JSON on standard output: {"op": "greet"};
{"op": "make", "source", "folder"} writes a cross-encoder with the weights of an encoder and a random head;
{"op": "open", "folder", "tokens"}; {"op": "score", "query", "documents"}. Times, on the clock and of the processors, are of
the scoring alone, tokenising included, in milliseconds.
"""

import json
import os
import sys
import time

# Files of this folder bear the names of libraries: it must not be searched for modules.
del sys.path[0]
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Peer:
    def __init__(self):
        self.model = None

    def greet(self):
        try:
            import sentence_transformers
            import torch
        except ImportError:
            return {"versions": {}, "threads": THREADS, "engines": {}}
        torch.set_num_threads(THREADS)
        versions = {"sentence-transformers": sentence_transformers.__version__, "torch": torch.__version__}
        return {"versions": versions, "threads": THREADS, "engines": {"CrossEncoder": {"metrics": [], "batches": []}}}

    def make(self, source, folder):
        import torch
        import transformers

        torch.manual_seed(1)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(source, num_labels=1)
        model.save_pretrained(folder)
        transformers.AutoTokenizer.from_pretrained(source).save_pretrained(folder)
        return {}

    def open(self, folder, tokens):
        import sentence_transformers
        import torch

        self.model = sentence_transformers.CrossEncoder(
            folder, max_length=tokens, device="cpu", activation_fn=torch.nn.Identity()
        )
        return {}

    def score(self, query, documents):
        start, cpu = time.perf_counter(), time.process_time()
        scores = self.model.predict([(query, document) for document in documents], show_progress_bar=False)
        ms, cpu_ms = (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000
        return {"ms": ms, "cpuMs": cpu_ms, "scores": [float(score) for score in scores]}


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request.pop("op"))(**request)), flush=True)


main()
