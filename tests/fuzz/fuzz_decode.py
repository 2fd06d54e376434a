"""Mutates recorded payloads and holds the native decoder to the reference: `python tests/fuzz/fuzz_decode.py [seconds] [seed]`.

With a kernel built by `OBSERVATORY_SANITIZE=1 python setup.py build_ext --inplace --force` every read out of bounds ends it, run as
`ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD=$(g++ -print-file-name=libasan.so) python tests/fuzz/fuzz_decode.py 600`.
A body that the two decode differently is written beside this file's name into the directory of temporary files.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "otlp"))

from otlp_messages import captures, mutate, plain

from observatory.model.signal import Signal
from observatory.otlp.native import NativeDecoder
from observatory.otlp.reference import ReferenceDecoder
from observatory.semconv.routes import routes

LARGEST = 6_000
"""Bytes of the payloads it starts from: the reference decoder is the slow half."""


def fuzz(seconds: float, seed: int, show: bool = False) -> dict[str, int]:
    """Counts of what was tried. Raises AssertionError with the path of the bodies that the decoders read differently."""
    rng = random.Random(seed)
    counts = {"batches": 0, "bodies": 0, "refused": 0, "rows": 0}
    seeds = {}
    for signal in (Signal.SPANS, Signal.LOGS):
        seeds[signal] = [body for path in captures(signal) if len(body := path.read_bytes()) < LARGEST]
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        signal = rng.choice(list(seeds))
        budget = rng.choice((1 << 30, 1 << 30, rng.randint(0, 20_000)))
        bodies = [mutate(rng.choice(seeds[signal]), rng, seeds[signal]) for _ in range(rng.randint(1, 6))]
        native = NativeDecoder(signal, routes(signal), budget)(bodies, 1, [None] * len(bodies))
        native.rows.validate(full=True)
        reference = ReferenceDecoder(signal, routes(signal), budget)(bodies, 1, [None] * len(bodies))
        if plain(native) != plain(reference):
            kept = Path(tempfile.mkdtemp(prefix="fuzz_decode_"))
            for index, body in enumerate(bodies):
                (kept / f"{index}.{signal}.pb").write_bytes(body)
            raise AssertionError(f"the decoders disagree on the bodies in {kept} (budget {budget}, seed {seed}, batch {counts['batches']})")
        counts["batches"] += 1
        counts["bodies"] += len(bodies)
        counts["refused"] += sum(outcome.error is not None for outcome in native.outcomes)
        counts["rows"] += native.rows.num_rows
        if show and counts["batches"] % 500 == 0:
            print(counts, flush=True)
    return counts


if __name__ == "__main__":
    how_long = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    chosen = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    print(f"seed {chosen}", fuzz(how_long, chosen, show=True))
