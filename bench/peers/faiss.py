"""Exact search by FAISS (IndexFlatIP, IndexFlatL2) and by numpy (sgemm and selection), for bench/peers/peer.ts.

A request is a line of JSON on standard input, the answer a line of JSON on standard output:
{"op": "greet"}, {"op": "load", "path", "rows", "dim", "metric"},
{"op": "search", "engine", "path", "q", "k", "among"?}. Files hold little-endian float32, and uint32 ids in "among".
Times, on the clock and of the processors, are of the search alone, in milliseconds.
"""

import os

from answerLines import THREADS, Stopwatch, answer_lines

# Before the libraries start theirs.
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))
os.environ.setdefault("OPENBLAS_NUM_THREADS", str(THREADS))

ALL = [1, 8, 64, 256]


class Peer:
    def __init__(self):
        self.rows = None
        self.index = None
        self.metric = None

    def greet(self):
        versions, engines = {}, {}
        try:
            import numpy
        except ImportError:
            return {"versions": versions, "threads": THREADS, "engines": engines}
        blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
        versions["numpy"] = f"{numpy.__version__} ({blas['name']} {blas['version']})"
        engines["sgemm"] = {"metrics": ["ip", "cosine"], "batches": [64, 256]}
        try:
            import faiss

            faiss.omp_set_num_threads(THREADS)
            versions["faiss"] = f"{faiss.__version__} ({faiss.get_compile_options().strip()})"
            engines["faiss"] = {"metrics": ["ip", "cosine", "l2"], "batches": ALL, "filters": True}
        except ImportError:
            versions["faiss"] = "missing"
        return {"versions": versions, "threads": THREADS, "engines": engines}

    def load(self, path, rows, dim, metric):
        import numpy

        self.metric = metric
        self.rows = numpy.fromfile(path, dtype=numpy.float32).reshape(rows, dim)
        self.index = None
        try:
            import faiss
        except ImportError:
            return {}
        # By default FAISS takes BLAS from 128,000 numbers of queries on; it is twice as fast with it from 64 queries on.
        faiss.cvar.distance_compute_blas_threshold = 32 * dim
        self.index = faiss.IndexFlatL2(dim) if metric == "l2" else faiss.IndexFlatIP(dim)
        self.index.add(self.rows)
        return {}

    def search(self, engine, path, q, k, among=None):
        import numpy

        params = self.only(numpy.fromfile(among, dtype=numpy.uint32)) if among else None
        queries = numpy.fromfile(path, dtype=numpy.float32).reshape(q, -1)
        watch = Stopwatch()
        if engine == "faiss":
            _, ids = self.index.search(queries, k, params=params)
        else:
            ids = self.by_product(numpy, queries, k)
        times = watch.read()
        return {**times, "ids": ids.ravel().tolist()}

    def only(self, rows):
        """A filter that passes these rows: a bitmap, which FAISS asks row by row."""
        import faiss
        import numpy

        bits = numpy.zeros((len(self.rows) + 7) // 8, dtype=numpy.uint8)
        numpy.bitwise_or.at(bits, rows >> 3, (1 << (rows & 7)).astype(numpy.uint8))
        self.selector = faiss.IDSelectorBitmap(bits)
        return faiss.SearchParameters(sel=self.selector)

    def by_product(self, numpy, queries, k):
        """Inner products in one sgemm, then the k largest of each query, sorted."""
        scores = queries @ self.rows.T
        top = numpy.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
        best = numpy.take_along_axis(scores, top, axis=1)
        return numpy.take_along_axis(top, numpy.argsort(-best, axis=1, kind="stable"), axis=1)


answer_lines(Peer())
