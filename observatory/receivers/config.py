"""What can be set of the doors."""

from __future__ import annotations

from pydantic import Field, SecretStr, model_validator

from observatory.model.section import Section

MIB = 1024 * 1024


class ReceiversConfig(Section):
    """How OTLP comes in, over gRPC and HTTP alike."""

    max_request_bytes: int = Field(default=64 * MIB, ge=1024, le=1024 * MIB)
    """Largest export request, also after decompression; larger ones get 413 or RESOURCE_EXHAUSTED, which clients do not send again.
    64 MiB is what the OTLP specification recommends."""

    max_json_bytes: int = Field(default=16 * MIB, ge=1024)
    """The same for OTLP/JSON, when it is less. JSON takes up to 17 times its size in memory while it is read, and nothing else of this
    process runs for some 10 ms a MiB. Exporters send 512 spans at a time, about 1 MiB."""

    max_in_flight_bytes: int = Field(default=256 * MIB, ge=1024)
    """Bytes of request bodies held at once, being received or waiting to be durable. More get 503 + Retry-After, or UNAVAILABLE +
    RetryInfo. Room for four of the largest requests, or for a second of the highest rate."""

    memory_limit_bytes: int = Field(default=1024 * MIB, ge=0)
    """Above this much anonymous resident memory of the process exports get 503, while queries are still answered; 0 switches the limit off.
    The appliance needs about half of the default at full rate; a machine with less than 2 GiB should set it lower."""

    retry_after_s: float = Field(default=1.0, gt=0, le=300)
    """What a client that was refused for lack of room is told to wait, in seconds. HTTP knows whole seconds only: it is rounded up."""

    request_timeout_s: float = Field(default=30.0, gt=0)
    """A request whose body has not arrived after this many seconds is given up: 503 or UNAVAILABLE. Exporters give up after 10 s."""

    api_keys: tuple[SecretStr, ...] = ()
    """When not empty, an export needs one of these keys, as `Authorization: Bearer KEY` or `x-api-key: KEY`; others get 401 or
    UNAUTHENTICATED. Empty by default because the doors listen on loopback only."""

    cors_origins: tuple[str, ...] = ()
    """Web pages that may send telemetry from a browser, such as `https://app.example.com`. Pages served from this machine (localhost,
    127.0.0.1, [::1], any port) always may. Others must be named, so that no page on the internet can write into a local store."""

    @model_validator(mode="after")
    def _room_for_one(self) -> ReceiversConfig:
        if self.max_in_flight_bytes < self.max_request_bytes:
            raise ValueError(
                f"max_in_flight_bytes ({self.max_in_flight_bytes}) must have room for max_request_bytes ({self.max_request_bytes})"
            )
        if any(not key.get_secret_value().strip() for key in self.api_keys):
            raise ValueError("api_keys: a key is empty")
        return self
