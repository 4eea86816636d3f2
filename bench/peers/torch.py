"""Exact search by PyTorch, one product and torch.topk, for bench/peers/peer.ts; requests as in faiss.py."""

import os

from answerLines import THREADS, Stopwatch, answer_lines


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
        watch = Stopwatch()
        with torch.inference_mode():
            ids = torch.topk(queries @ self.rows.T, k).indices
        times = watch.read()
        return {**times, "ids": ids.flatten().tolist()}

    def read(self, path, dim):
        import torch

        return torch.from_file(path, dtype=torch.float32, size=os.path.getsize(path) // 4).reshape(-1, dim).clone()


answer_lines(Peer())
