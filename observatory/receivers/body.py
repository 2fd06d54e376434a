"""Request bodies off the wire and out of their content encoding, never beyond a limit."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import zstandard
from aiohttp import web
from isal import isal_zlib

from observatory.errors import Malformed, Rejected, Retryable, TooLarge, Unsupported
from observatory.receivers.admission import Held

ENCODINGS = ("gzip", "zstd", "deflate")
"""What `opened` understands beside `identity`, in the words of Content-Encoding."""

_MAX_ZSTD_WINDOW = 8 << 20  # RFC 9659: an HTTP sender may not ask a receiver for more

INLINE_BYTES = 16 * 1024
"""Bodies up to this size are worked on in place: less work than a hop to a thread and back, about 60 µs."""

_INLINE_OUTPUT = 256 * 1024  # … unless they grow beyond this


class Opener:
    """`opened` for an event loop: small bodies in place, large ones in two threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="otlp-inflate")

    async def open(self, encoding: str, body: bytes, limit: int) -> bytes:
        """See `opened`."""
        if len(body) <= INLINE_BYTES:
            try:
                return opened(encoding, body, min(limit, _INLINE_OUTPUT))
            except TooLarge:
                pass  # it grows a lot, or is a bomb: a thread finds out
        return await asyncio.get_running_loop().run_in_executor(self._threads, opened, encoding, body, limit)

    def close(self) -> None:
        """End the threads; bodies still waiting for one are given up."""
        self._threads.shutdown(wait=False, cancel_futures=True)


async def receive(request: web.BaseRequest, held: Held, limit: int, timeout_s: float) -> bytes:
    """The body as it came, still encoded, counted by `held` while it comes. Raises `TooLarge`, `Malformed`, or `Retryable` when it is slow.

    A route must be added with an `expect_handler` that answers nothing: `Expect: 100-continue` is answered here, once the body is wanted.
    """
    if (request.content_length or 0) > limit:
        raise too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    content = request.content
    if content.is_eof():  # small ones are here already
        body = content.read_nowait(-1)
        held.resize(len(body))
        return body
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout_s):
            while chunk := await content.readany():
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                held.resize(size)
                chunks.append(chunk)
    except TimeoutError:
        raise Retryable(f"only {size:,} bytes of the body came in {timeout_s:g} s") from None
    except web.RequestPayloadError as error:
        raise Malformed(f"the body cannot be read after {size:,} bytes: {error}") from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def opened(encoding: str, body: bytes, limit: int) -> bytes:
    """The body without its content encoding (lower case; empty or `identity` is none). At most `limit` bytes and one copy of them are held.

    Raises `TooLarge` beyond `limit`, `Malformed` for damaged, cut short or followed by something else, `Unsupported` for other encodings.
    """
    try:
        return _opened(encoding, body, limit)
    except Rejected as error:
        # the frames of its traceback hold what was opened so far, `limit` bytes of a bomb, until the refusal is sent and forgotten
        error.__context__ = None
        raise error.with_traceback(None) from None


def _opened(encoding: str, body: bytes, limit: int) -> bytes:
    match encoding:
        case "" | "identity":
            if len(body) > limit:
                raise too_large(limit)
            return body
        case "gzip" | "x-gzip":
            return _gzip(body, limit)
        case "zstd":
            return _zstd(body, limit)
        case "deflate":
            # "deflate" means zlib's format; some clients send the bare stream. A bare stream never starts like a zlib header: it would be
            # a stored block with non-zero padding.
            zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
            return _members("deflate", body, 15 if zlib_header else -15, limit, many=False)
        case _:
            raise Unsupported(f"Content-Encoding {encoding!r} is not understood; use {', '.join(ENCODINGS)} or none")


def too_large(limit: int) -> TooLarge:
    """What a request over `limit` bytes gets, compressed or not."""
    return TooLarge(
        f"the request is larger than {limit:,} bytes, the limit also after decompression (receivers.max_request_bytes, max_json_bytes)"
    )


def _gzip(body: bytes, limit: int) -> bytes:
    return _members("gzip", body, 31, limit, many=True)


def _members(name: str, body: bytes, wbits: int, limit: int, many: bool) -> bytes:
    parts: list[bytes] = []
    size, rest = 0, body
    while True:
        stream = isal_zlib.decompressobj(wbits=wbits)
        try:
            part = stream.decompress(rest, limit - size + 1)
        except isal_zlib.IsalError as error:  # pyright: ignore[reportGeneralTypeIssues] (its stub takes the class for an instance)
            raise Malformed(f"cannot decompress {name} at byte {len(body) - len(rest)} of {len(body)}: {error}") from None
        size += len(part)
        if size > limit:
            raise too_large(limit)
        if not stream.eof:
            raise Malformed(f"cannot decompress {name}: it is cut short after {len(body)} bytes")
        parts.append(part)
        rest = stream.unused_data
        if not rest:
            return parts[0] if len(parts) == 1 else b"".join(parts)
        if not many:
            raise Malformed(f"cannot decompress {name}: {len(rest)} bytes follow its end")


def _zstd(body: bytes, limit: int) -> bytes:
    try:
        frame = zstandard.get_frame_parameters(body)
    except zstandard.ZstdError as error:
        raise Malformed(f"cannot decompress zstd: {error}") from None
    if frame.window_size > _MAX_ZSTD_WINDOW:
        raise TooLarge(f"zstd with a window of {frame.window_size:,} bytes; HTTP allows {_MAX_ZSTD_WINDOW:,}")
    known = frame.content_size not in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR, 0)
    if known and frame.content_size > limit:
        raise too_large(limit)
    if known:
        try:
            return zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False)
        except zstandard.ZstdError:
            pass  # several frames, or damage: the stream below tells them apart
    try:
        return _zstd_stream(body, limit)
    except OSError as error:
        raise Malformed(f"cannot decompress zstd: {error}") from None


def _zstd_stream(body: bytes, limit: int) -> bytes:
    # pyarrow's stream, because zstandard's takes a frame that is cut short for a whole one
    stream = pa.CompressedInputStream(pa.BufferReader(body), "zstd")
    parts: list[bytes] = []
    size = 0
    while part := stream.read(min(1 << 20, limit - size + 1)):
        size += len(part)
        if size > limit:
            raise too_large(limit)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
