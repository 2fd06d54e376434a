"""What the compiled kernel offers to `native.py`."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from observatory.semconv.routes import Route

class Columns:
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...

def reuse_memory() -> None: ...

class Kernel:
    def __init__(self, signal: str, schema: pa.Schema, routes: Iterable[Route], budget: int) -> None: ...
    def decode(
        self, bodies: Sequence[bytes], received_at: int, projects: Sequence[str | None]
    ) -> tuple[Columns, list[tuple[int, int, int, int, int, int, int, int]]]: ...
