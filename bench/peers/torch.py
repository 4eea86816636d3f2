"""Exact search by PyTorch, one product and torch.topk, for bench/peers/peer.ts; requests as in faiss.py."""

import json
import os
import sys
import time

# This file bears the library's name: its folder must not be searched for modules.
del sys.path[0]
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Peer:
    def __init__(self):
        self.rows = None

    def greet(self):
        try:
            import torch
        except ImportError:
            return {"versions": {}, "threads": THREADS, "engines": {}}
        torch.set_num_threads(THREADS)
        engine = {"metrics": ["ip", "cosine"], "batches": [1, 8, 64, 256]}
        return {"versions": {"torch": torch.__version__}, "threads": THREADS, "engines": {"torch": engine}}

    def load(self, path, rows, dim, metric):
        self.rows = self.read(path, dim)
        return {}

    def search(self, engine, path, q, k, among=None):
        import torch

        queries = self.read(path, self.rows.shape[1])
        start, cpu = time.perf_counter(), time.process_time()
        with torch.inference_mode():
            ids = torch.topk(queries @ self.rows.T, k).indices
        ms, cpu_ms = (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000
        return {"ms": ms, "cpuMs": cpu_ms, "ids": ids.flatten().tolist()}

    def read(self, path, dim):
        import torch

        return torch.from_file(path, dtype=torch.float32, size=os.path.getsize(path) // 4).reshape(-1, dim).clone()


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request.pop("op"))(**request)), flush=True)


main()
