"""What the SDK was told: arguments of `init`, then `OBSERVATORY_*`, then OpenTelemetry's variables, then defaults.

A value that cannot be used is told in the log and the next in that order is taken: a typing mistake must not stop an application.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

Redact = Callable[[str, str], str | None]
SIGNALS = ("traces", "logs", "metrics")
_HTTP, _API = 4318, 4319


@dataclass(frozen=True, slots=True)
class Config:
    """How the SDK runs; every field is an argument of `init`. Sizes in bytes, times in seconds."""

    service_name: str = "unknown_service"
    """Default: the name of the script that runs."""
    service_version: str | None = None
    environment: str | None = None
    """`deployment.environment.name`."""
    resource_attributes: Mapping[str, Any] = field(default_factory=dict)
    endpoint: str = "http://localhost:4318"
    """Base URL of OTLP; `/v1/traces` and the others are appended."""
    api_endpoint: str = ""
    """Base URL of the API and the page: where feedback goes and links lead. Default: the endpoint's host on port 4319."""
    api_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    protocol: str = "http/protobuf"
    """`http/protobuf`, or `grpc` with the extra `llm-observatory[grpc]`."""
    certificate: str | None = None
    """File of certificate authorities to trust for https."""
    compression: str = "gzip"
    """`gzip` or `none`, which is the default where the endpoint is this machine: it would cost more than it saves."""
    signals: tuple[str, ...] = SIGNALS
    capture_content: bool = True
    """Send prompts, answers, arguments and results. When off they are taken out here, whatever an instrumentation recorded."""
    redact: Redact | None = None
    """Called with key and text of everything that is sent; gives the text to send, or None to leave it out. Runs off the application's
    threads."""
    max_attribute_length: int = 65_536
    """Characters of one text; what is longer is cut, inside JSON at its longest texts. The server takes more, but few people read more."""
    sample: float | None = None
    """Share of traces to record, 0 to 1, decided by trace id and written as `ot=th`."""
    instrument: bool | tuple[str, ...] = True
    """All libraries of the table, none, or those named."""
    exclude: tuple[str, ...] = ()
    """Libraries to leave alone."""
    prefer: Mapping[str, str] = field(default_factory=dict)
    """Which instrumentation package to use for a library that has several: `{"openai": "openinference-instrumentation-openai"}`."""
    http_spans: bool = False
    """Record HTTP client spans inside a call of a model, too. They say what the call's span says already."""
    library_metrics: bool = False
    """Record the metrics of instrumentations, too. The server measures every call from its span."""
    queue_bytes: int = 8 << 20
    """What may wait to be sent, of each signal; what is older is dropped and counted. 8 MiB is 2,000 calls with 2 kB in and out."""
    queue_items: int = 8192
    batch_items: int = 512
    delay_s: float = 2.0
    """How long a record waits for others before a batch is sent."""
    timeout_s: float = 10.0
    """Of one request to the receiver."""
    exit_timeout_s: float = 5.0
    """How long the end of the process may wait for what was not sent yet."""
    spool: str | None = None
    """File for what the receiver did not take, sent again when it is back, also by the next process."""
    spool_bytes: int = 64 << 20
    serverless: bool = False
    """Send whenever the last span of this process's part of a trace ends: a function is frozen after its answer. On by itself on Lambda."""
    disabled: bool = False
    debug: bool = False

    @property
    def base_headers(self) -> dict[str, str]:
        """Headers of every request, the key among them."""
        return {**self.headers, **({"x-api-key": self.api_key} if self.api_key else {})}


def read(arguments: Mapping[str, Any], env: Mapping[str, str]) -> tuple[Config, list[str]]:
    """The configuration, and a sentence for each value that cannot be used. `None` as an argument is no value."""
    mistakes: list[str] = []
    known = {each.name for each in fields(Config)}
    mistakes += [f"init: unknown argument {name!r}" for name in arguments if name not in known]
    given = {name: value for name, value in arguments.items() if name in known and value is not None}
    values: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        sources = [(f"init: {name}", given[name])] if name in given else []
        sources += [(key, env[key]) for key in _VARIABLES.get(name, ()) if env.get(key, "").strip()]
        for source, value in sources:
            try:
                values[name] = parse(value)
                break
            except (ValueError, TypeError, AttributeError) as error:
                mistakes.append(f"{source}: {error}")
    return Config(**_completed(values, env)), mistakes


def _completed(values: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """With what follows from other values and from where the process runs."""
    resource = values.get("resource_attributes", {})
    values.setdefault("service_name", str(resource.get("service.name") or _script()))
    values.setdefault("endpoint", "http://localhost:4318")
    values.setdefault("api_endpoint", _beside(values["endpoint"]))
    if _is_this_machine(values["endpoint"]):
        values.setdefault("compression", "none")
    # what stops when an answer is given: AWS Lambda, Azure Functions, Google's functions
    if "serverless" not in values and any(
        env.get(key) for key in ("AWS_LAMBDA_FUNCTION_NAME", "FUNCTIONS_WORKER_RUNTIME", "FUNCTION_TARGET")
    ):
        values["serverless"] = True
    if env.get("OTEL_TRACES_SAMPLER", "").endswith("always_off"):
        values.setdefault("sample", 0.0)
    off = [signal for signal in SIGNALS if env.get(f"OTEL_{signal.upper()}_EXPORTER") == "none"]
    values["signals"] = tuple(signal for signal in values.get("signals", SIGNALS) if signal not in off)
    return values


def _script() -> str:
    """The name of what runs: of the script, the module or the command. Before `sys.argv` is there (`observatory run`) from the command
    line."""
    words = sys.argv if getattr(sys, "argv", None) and sys.argv[0] not in ("", "-m", "-c") else _arguments(sys.orig_argv[1:])
    if not words or words[0] == "-c":
        return "unknown_service"
    if words[0] == "-m":
        return words[1].partition(".")[0] if len(words) > 1 else "unknown_service"
    path = Path(words[0])
    return path.parent.name if path.name == "__main__.py" else path.name.removesuffix(".py") or "unknown_service"


def _arguments(words: list[str]) -> list[str]:
    """From the first word on that is no option of Python's own."""
    while words and words[0].startswith("-") and words[0] not in ("-m", "-c"):
        words = words[2:] if words[0] in ("-W", "-X") else words[1:]
    return words


def _beside(endpoint: str) -> str:
    """The API of an OTLP endpoint: port 4319 where exports go to 4317 or 4318, else the same address (behind one proxy)."""
    parts = urlsplit(endpoint)
    host = parts.netloc.rpartition("@")[2]
    if parts.port in (4317, _HTTP):
        host = f"{host.rpartition(':')[0]}:{_API}"
    return f"{parts.scheme}://{host}"


def _is_this_machine(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a text, got {value!r}")
    return value.strip()


def _url(value: Any) -> str:
    text = _text(value)
    parts = urlsplit(text if "://" in text else f"http://{text}")
    _ = parts.port  # raises for a port that is none
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"expected an http or https address, got {value!r}")
    path = parts.path.rstrip("/")
    for signal in SIGNALS:
        path = path.removesuffix(f"/v1/{signal}")
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    said = str(value).strip().lower()
    if said not in _WORDS:
        raise ValueError(f"expected true or false, got {value!r}")
    return _WORDS[said]


_WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _whole(least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        number = int(value)
        if number < least:
            raise ValueError(f"expected at least {least}, got {value!r}")
        return number

    return parse


def _seconds(value: Any) -> float:
    number = float(value)
    if not 0 <= number < 86_400:
        raise ValueError(f"expected seconds, got {value!r}")
    return number


def _milliseconds_in_variable(value: Any) -> float:
    """OpenTelemetry's variables are in milliseconds and arrive as text; arguments are seconds."""
    return _seconds(float(value) / 1000) if isinstance(value, str) else _seconds(value)


def _seconds_or_milliseconds(value: Any) -> float:
    """The specification says milliseconds, OpenTelemetry's Python always read seconds: 1000 and more cannot have been meant as seconds."""
    number = float(value)
    return _seconds(number / 1000 if number >= 1000 else number)


def _share(value: Any) -> float:
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError(f"expected a share from 0 to 1, got {value!r}")
    return number


def _pairs(value: Any) -> dict[str, str]:
    """A mapping, or `key=value,key=value` with percent-encoded values as OpenTelemetry writes it."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not equals for _, equals, _ in pairs):
        raise ValueError(f"expected key=value,key=value, got {value!r}")
    return {key.strip(): unquote(item.strip()) for key, _, item in pairs}


def _names(value: Any) -> tuple[str, ...]:
    items = value.split(",") if isinstance(value, str) else value
    return tuple(str(item).strip() for item in items if str(item).strip())


def _signals(value: Any) -> tuple[str, ...]:
    names = _names(value)
    if set(names) - set(SIGNALS):
        raise ValueError(f"expected some of {', '.join(SIGNALS)}, got {value!r}")
    return names


def _some(value: Any) -> bool | tuple[str, ...]:
    return _flag(value) if isinstance(value, bool) or str(value).lower() in _WORDS else _names(value)


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"expected {' or '.join(allowed)}, got {value!r}")
        return value

    return parse


def _callable(value: Any) -> Any:
    if not callable(value):
        raise TypeError(f"expected a function of key and text, got {value!r}")
    return value


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "service_name": _text,
    "service_version": _text,
    "environment": _text,
    "resource_attributes": _pairs,
    "endpoint": _url,
    "api_endpoint": _url,
    "api_key": _text,
    "headers": _pairs,
    "protocol": _one_of("http/protobuf", "grpc"),
    "certificate": _text,
    "compression": _one_of("gzip", "none"),
    "signals": _signals,
    "capture_content": _flag,
    "redact": _callable,
    "max_attribute_length": _whole(16),
    "sample": _share,
    "instrument": _some,
    "exclude": _names,
    "prefer": _pairs,
    "http_spans": _flag,
    "library_metrics": _flag,
    "queue_bytes": _whole(1 << 16),
    "queue_items": _whole(1),
    "batch_items": _whole(1),
    "delay_s": _milliseconds_in_variable,
    "timeout_s": _seconds_or_milliseconds,
    "exit_timeout_s": _seconds,
    "spool": lambda value: _text(str(value)),
    "spool_bytes": _whole(1 << 16),
    "serverless": _flag,
    "disabled": _flag,
    "debug": _flag,
}
_VARIABLES: dict[str, tuple[str, ...]] = {
    "service_name": ("OTEL_SERVICE_NAME",),
    "resource_attributes": ("OTEL_RESOURCE_ATTRIBUTES",),
    "endpoint": ("OBSERVATORY_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    "api_endpoint": ("OBSERVATORY_API_ENDPOINT",),
    "api_key": ("OBSERVATORY_API_KEY",),
    "headers": ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
    "protocol": ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
    "certificate": ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
    "compression": ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"),
    "capture_content": ("OBSERVATORY_CAPTURE_CONTENT",),
    "max_attribute_length": ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"),
    "sample": ("OBSERVATORY_SAMPLE", "OTEL_TRACES_SAMPLER_ARG"),
    "instrument": ("OBSERVATORY_INSTRUMENT",),
    "exclude": ("OBSERVATORY_EXCLUDE", "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"),
    "http_spans": ("OBSERVATORY_HTTP_SPANS",),
    "library_metrics": ("OBSERVATORY_LIBRARY_METRICS",),
    "queue_items": ("OTEL_BSP_MAX_QUEUE_SIZE",),
    "batch_items": ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",),
    "delay_s": ("OTEL_BSP_SCHEDULE_DELAY",),
    "timeout_s": ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"),
    "spool": ("OBSERVATORY_SPOOL",),
    "serverless": ("OBSERVATORY_SERVERLESS",),
    "disabled": ("OTEL_SDK_DISABLED",),
    "debug": ("OBSERVATORY_DEBUG",),
}
