"""Cross-encoders and embedders by sentence-transformers on PyTorch, for bench/rank.bench.ts and bench/encode.bench.ts.

A request is a line of JSON on standard input, the answer a line of JSON on standard output: {"op": "greet"};
{"op": "make", "source", "folder"} writes a cross-encoder with the weights of an encoder and a random head;
{"op": "open", "folder", "tokens"}; {"op": "score", "query", "documents"}; {"op": "openEmbedder", "folder", "tokens"};
{"op": "encode", "texts"}, vectors of length 1. Times, on the clock and of the processors, are of scoring or encoding alone,
tokenising included, in milliseconds.
"""

from answerLines import THREADS, Stopwatch, answer_lines


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
        return {"versions": versions, "threads": THREADS, "engines": {"models": {"metrics": [], "batches": []}}}

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
        watch = Stopwatch()
        scores = self.model.predict([(query, document) for document in documents], show_progress_bar=False)
        times = watch.read()
        return {**times, "values": [float(score) for score in scores]}

    def openEmbedder(self, folder, tokens):
        import sentence_transformers

        self.model = sentence_transformers.SentenceTransformer(folder, device="cpu")
        self.model.max_seq_length = tokens
        return {}

    def encode(self, texts):
        watch = Stopwatch()
        vectors = self.model.encode(texts, normalize_embeddings=True, show_progress_bar=False)
        times = watch.read()
        return {**times, "values": vectors.flatten().tolist()}


answer_lines(Peer())
