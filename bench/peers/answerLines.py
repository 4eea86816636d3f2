"""What every peer in Python does: reads requests, times its work, answers; the protocol is that of bench/peers/peer.ts.

A request is a line of JSON with the name of a method of the peer, "op", and its arguments; the answer is a line of JSON.
"""

import json
import os
import sys
import time

# Files of this folder bear the names of libraries: once this one is found, it must not be searched for modules.
del sys.path[0]
# One thread a core, the usual setting of all libraries.
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


class Stopwatch:
    """Milliseconds since it was made, on the clock and of the processors."""

    def __init__(self):
        self.start, self.cpu = time.perf_counter(), time.process_time()

    def read(self):
        ms, cpu_ms = time.perf_counter() - self.start, time.process_time() - self.cpu
        return {"ms": ms * 1000, "cpuMs": cpu_ms * 1000}


def answer_lines(peer):
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request.pop("op"))(**request)), flush=True)
