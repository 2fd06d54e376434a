"""The fake provider: a threaded HTTP server on loopback that needs nothing but the standard library."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from observatory.testing.provider import anthropic, bedrock, cohere, gemini, ollama, openai, script
from observatory.testing.provider.record import Call
from observatory.testing.provider.wire import Answer, texts

Format = tuple[Callable[[dict[str, Any], Call], Answer], Callable[[int], Any]]
_ROUTES: tuple[tuple[str, Format], ...] = (
    (r"/chat/completions$", (openai.chat, openai.error)),
    (r"/responses$", (openai.responses, openai.error)),
    (r"/v1/embeddings$", (openai.embeddings, openai.error)),
    (r"/v1/messages$", (anthropic.messages, anthropic.error)),
    (r":(generateContent|streamGenerateContent)$", (gemini.generate, gemini.error)),
    (r":(embedContent|batchEmbedContents)$", (gemini.embed, gemini.error)),
    (r"/v2/chat$", (cohere.chat, cohere.error)),
    (r"/v[12]/embed$", (cohere.embed, cohere.error)),
    (r"/api/chat$", (ollama.chat, ollama.error)),
    (r"/model/[^/]+/converse(-stream)?$", (bedrock.converse, bedrock.error)),
)
_MODEL_IN_PATH = re.compile(r"/models?/([^/:]+(?:%3A[^/]*)?)[:/]")
_TOOL_RESULT = re.compile(r'"(role|type)": ?"(tool|tool_result|function_call_output|function)"|"functionResponse"|"toolResult"')


class FakeProvider:
    """`with FakeProvider() as provider:` serves on `provider.url`; `provider.calls` is what it saw, in the order of arrival.

    Clients take `provider.url + "/v1"` (OpenAI, Groq) or `provider.url` (the others) as base URL. `script.py` says how prompts steer it.
    """

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.provider = self
        self.calls: list[Call] = []
        self._lock = threading.Lock()
        self._failed: set[str] = set()
        self._served = 0

    @property
    def url(self) -> str:
        """Base URL without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> FakeProvider:
        """Serve in a thread of its own."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fake-provider", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop serving; connections that are open break."""
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> FakeProvider:
        """Start it."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop it."""
        self.stop()

    def of(self, prompt: str) -> list[Call]:
        """Calls whose prompt contains this text."""
        return [call for call in list(self.calls) if prompt in call.prompt]

    def forget(self) -> None:
        """Forget what it saw, and which prompts have had their one failure."""
        with self._lock:
            self.calls.clear()
            self._failed.clear()

    def take(self, path: str, headers: dict[str, str], request: dict[str, Any]) -> tuple[Call, Answer] | None:
        """Write a call down and decide its answer; None for a path that no format has."""
        found = next((form for pattern, form in _ROUTES if re.search(pattern, path.partition("?")[0])), None)
        if found is None:
            return None
        respond, refuse = found
        call = self._call(path, headers, request)
        answer = respond(request, call)
        with self._lock:
            self.calls.append(call)
            first_time = call.prompt not in self._failed
            if call.script.fail_once:
                self._failed.add(call.prompt)
        status = call.script.fail or (call.script.fail_once if first_time else None)
        if status is None:
            return call, answer
        call.status, call.input_tokens, call.output_tokens, call.tools, call.text, call.usage_sent = status, 0, 0, (), "", False
        kind = (("x-amzn-errortype", "ThrottlingException" if status == 429 else "InternalServerException"),)
        return call, Answer(refuse(status), status=status, headers=(*kind, ("retry-after", "0"), ("retry-after-ms", "1")))

    def _call(self, path: str, headers: dict[str, str], request: dict[str, Any]) -> Call:
        talk = {key: value for key, value in request.items() if key not in ("model", "tools", "metadata", "toolConfig", "tool_choice")}
        prompt = "\n".join(texts(talk))
        said = script.read(prompt, tool_answered=bool(_TOOL_RESULT.search(json.dumps(talk))))
        in_path = _MODEL_IN_PATH.search(path)
        model = str(request.get("model") or (in_path[1].replace("%3A", ":") if in_path else "unknown"))
        with self._lock:
            self._served += 1
            number = self._served
        streams = bool(request.get("stream")) or "stream" in path.rpartition("/")[2]
        if path.endswith("/api/chat"):
            streams = request.get("stream", True)
        call = Call("", model, streams, prompt, headers, said, response_id=f"chatcmpl-{number:06d}", response_model=f"{model}-2026-08-01")
        call.tools, call.cached_tokens = said.tools, said.cached
        call.text = "" if said.tools else " ".join(f"word{i}" for i in range(said.words))
        # counts that no two calls share, so that tokens of one call cannot pass for those of another
        call.input_tokens, call.reasoning_tokens = 100 + number + said.cached, 5 if said.think else 0
        call.output_tokens = 10 + 2 * number + call.reasoning_tokens
        return call


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    provider: FakeProvider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        start = time.perf_counter()
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        taken = self.server.provider.take(self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body or b"{}"))
        if taken is None:
            self._whole(404, b'{"error": {"message": "no such path here"}}', "application/json")
            return
        call, answer = taken
        try:
            if answer.chunks is None:
                time.sleep(call.script.first_s)
                self._whole(answer.status, json.dumps(answer.body).encode(), answer.content_type, answer.headers)
            else:
                self._stream(call, answer, start)
            call.ended = True
        finally:
            call.took_s = time.perf_counter() - start

    def _whole(self, status: int, body: bytes, kind: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, call: Call, answer: Answer, start: float) -> None:
        self.send_response(200)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        told = 0
        for chunk in answer.chunks or ():
            if call.script.break_after is not None and told >= call.script.break_after:
                call.usage_sent, self.close_connection = False, True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if call.first_s is None:
                time.sleep(call.script.first_s)
                call.first_s = time.perf_counter() - start
            if chunk.content:
                time.sleep(call.script.gap_s if told else 0)
                told += 1
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk.data), chunk.data))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: `calls` has it all."""
