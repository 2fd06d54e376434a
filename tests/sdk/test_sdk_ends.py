"""Nothing is lost where a process ends otherwise than a script does: it forks, it is frozen; and connections are encrypted."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sdk_stage import APPS, Stage, python_of

pytestmark = pytest.mark.slow


def test_parent_and_children_send_what_each_has_seen_once(stage: Stage, tmp_path: Path) -> None:
    stage.run("clients", str(APPS / "forked.py"), str(tmp_path / "spool"), service="unused")
    rows = stage.calls("forked", 4)
    assert sorted(row["session_id"] for row in rows) == ["after", "before", "child", "job"]
    said = stage.sql("SELECT session_id, resource FROM spans WHERE service_name = 'forked' AND session_id IS NOT NULL")
    pids = {row["session_id"]: json.loads(row["resource"])["process.pid"] for row in said}
    assert pids["before"] == pids["after"]
    assert len(set(pids.values())) == 3


def test_a_function_has_sent_its_call_when_it_is_frozen(stage: Stage) -> None:
    env = stage.env("function", AWS_LAMBDA_FUNCTION_NAME="shop")
    child = subprocess.Popen([python_of("clients"), str(APPS / "function.py")], env=env, stdout=subprocess.PIPE)
    try:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert os.WSTOPSIG(status) == signal.SIGSTOP
        assert len(stage.calls("function", 1)) == 1
        spans = stage.spans("function", 2)
        assert sorted(span["observation_kind"] for span in spans) == ["agent", "llm"]
    finally:
        child.kill()
        child.communicate()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority of our own (`ca.pem`) and `server.pem`, which it signed for localhost."""
    place = tmp_path_factory.mktemp("certificates")
    (place / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for command in (
        ["req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ours", "-days", "2"],
        ["req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "2",
         "-extfile", "san"],
    ):  # fmt: skip
        subprocess.run(["openssl", *command], cwd=place, check=True, capture_output=True)
    return place


@contextmanager
def encrypted(certificates: Path, address: str) -> Iterator[str]:
    """`localhost:port` that speaks TLS and hands what it hears to this address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.set_alpn_protocols(["h2", "http/1.1"])
    host, _, port = address.rpartition(":")

    def hand_over(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while said := source.recv(65536):
                target.sendall(said)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def serve(heard: socket.socket) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(heard, server_side=True) as client,
            socket.create_connection((host, int(port))) as server,
        ):
            back = threading.Thread(target=hand_over, args=(server, client), daemon=True)
            back.start()
            hand_over(client, server)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(target=accept, daemon=True).start()
        yield f"localhost:{door.getsockname()[1]}"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_an_authority_of_one_s_own_is_trusted_when_it_is_named(stage: Stage, certificates: Path, protocol: str) -> None:
    address = stage.server.otlp_grpc if protocol == "grpc" else stage.server.otlp_http.removeprefix("http://")
    service = f"encrypted-{protocol[:4]}"
    with encrypted(certificates, address) as door:
        env = stage.env(service, OTEL_EXPORTER_OTLP_ENDPOINT=f"https://{door}", OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
        del env["OBSERVATORY_ENDPOINT"]
        command = [python_of("clients"), str(APPS / "ask_once.py")]
        trusting = {**env, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates / "ca.pem")}
        done = subprocess.run(command, env=trusting, capture_output=True, text=True, timeout=100)
        assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
        assert len(stage.calls(service, 1)) == 1
        if protocol == "grpc":
            return
        wary = {**env, "OTEL_SERVICE_NAME": "wary", "OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
        done = subprocess.run([*command[:1], "-c", (APPS / "ask_once.py").read_text().replace("flush(20)", "flush(0.5)")], env=wary,
                              capture_output=True, text=True, timeout=100)  # fmt: skip
        assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
        assert "certificate verify failed" in done.stderr
