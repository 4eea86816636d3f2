"""Training steps of a BERT cross-encoder by PyTorch and transformers, for bench/train.bench.ts.

Requests as in faiss.py: {"op": "greet"}, {"op": "open", "folder", "lists", "size", "length", "rate", …} with ids.bin
(int64) and targets.bin (float32) in the folder, {"op": "step"}.
"""

import resource

from answerLines import THREADS, Stopwatch, answer_lines


class Peer:
    def greet(self):
        try:
            import torch
            import transformers
        except ImportError:
            return {"versions": {}, "threads": THREADS, "engines": {}}
        torch.set_num_threads(THREADS)
        transformers.logging.disable_progress_bar()
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return {"versions": versions, "threads": THREADS, "engines": {"torch": {}}}

    def open(self, folder, lists, size, length, rate, clipNorm, weightDecay):
        import torch
        from transformers import AutoModelForSequenceClassification

        def read(name, dtype, count):
            return torch.from_file(f"{folder}/{name}", dtype=dtype, size=count).clone()

        self.ids = read("ids.bin", torch.int64, lists * size * length).reshape(-1, length)
        self.targets = read("targets.bin", torch.float32, lists * size).reshape(lists, size)
        self.model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).train()
        self.clip = clipNorm
        parameters = list(self.model.parameters())
        groups = [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": weightDecay},
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=rate, fused=True)
        return {}

    def step(self):
        import torch

        watch = Stopwatch()
        logits = self.model(input_ids=self.ids, attention_mask=torch.ones_like(self.ids)).logits
        scores = logits.reshape(self.targets.shape)
        loss = -(self.targets * torch.log_softmax(scores, dim=-1)).sum(-1).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        times = watch.read()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {**times, "loss": loss.item(), "peakBytes": peak}


answer_lines(Peer())
