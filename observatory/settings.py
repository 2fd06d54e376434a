"""Joins the rooms' configuration sections into one: what `config.toml` can say, key by key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import Field, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from observatory.api.config import ApiConfig
from observatory.jobs.config import JobsConfig
from observatory.model.address import Address, AddressText
from observatory.model.section import Section
from observatory.pipeline.config import CutConfig, IngestConfig, JournalConfig
from observatory.pipeline.sampling.config import SamplingConfig
from observatory.receivers.config import ReceiversConfig
from observatory.semconv.pricing.config import PricesConfig
from observatory.storage.config import StorageConfig


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/observatory`, else `~/.local/share/observatory`: where a Linux program keeps a person's data.
    Raises ValueError when there is neither."""
    base = os.environ.get("XDG_DATA_HOME", "")
    try:
        return (Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share") / "observatory"
    except RuntimeError:
        raise ValueError("this user has no home directory to keep data in; name a directory with --data") from None


def _data_dir(value: Any) -> Path:
    if not isinstance(value, str | Path):
        raise ValueError("expected a directory as text")
    return Path(value).expanduser().absolute() if value != "" else default_data_dir()


DataDir = Annotated[Path, PlainValidator(_data_dir), WithJsonSchema({"type": "string"})]


class ServerConfig(Section):
    """Where the appliance listens and where it keeps its data."""

    data: DataDir = cast(Path, "")  # defaults are validated, so that text becomes a path or an address
    """Directory of everything that is stored; made when it is missing. Empty: `$XDG_DATA_HOME/observatory`, else
    `~/.local/share/observatory`. One appliance at a time uses it."""

    insecure: bool = False
    """Allow listening on addresses that other machines can reach, although nobody is asked who they are: until authentication exists,
    whoever reaches the page reads every prompt. The flag `--insecure` says the same."""

    listen: AddressText = cast(Address, "127.0.0.1:4319")
    """The page, the query API and `/metrics`; OTLP over HTTP is accepted here as well. Port 0 takes any free one."""

    otlp_grpc: AddressText = cast(Address, "127.0.0.1:4317")
    """OTLP over gRPC. 4317 is the port every OpenTelemetry exporter tries by itself."""

    otlp_http: AddressText = cast(Address, "127.0.0.1:4318")
    """OTLP over HTTP, protobuf and JSON. 4318 is the port every OpenTelemetry exporter tries by itself."""

    @field_validator("listen", "otlp_grpc", "otlp_http")
    @classmethod
    def _loopback_only(cls, address: Address, info: ValidationInfo) -> Address:
        if not address.loopback and info.data.get("insecure") is False:
            raise ValueError(
                f"other machines could reach {address} and nobody is asked who they are, because authentication does not exist yet; "
                f"listen on 127.0.0.1:{address.port}, or accept the risk with --insecure"
            )
        return address


class LogConfig(Section):
    """What the appliance says of itself, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""

    format: Literal["text", "json"] = "text"
    """`text` for people; `json` is one object a line (time, level, logger, message, error) for machines."""


class Settings(Section):
    """Everything that can be set. A key that is absent has its default; an unknown key is refused."""

    server: ServerConfig = Field(default_factory=ServerConfig)
    receivers: ReceiversConfig = Field(default_factory=ReceiversConfig)
    ingest: IngestConfig = Field(default_factory=IngestConfig)
    journal: JournalConfig = Field(default_factory=JournalConfig)
    sampling: SamplingConfig = Field(default_factory=SamplingConfig)
    cut: CutConfig = Field(default_factory=CutConfig)
    storage: StorageConfig = Field(default_factory=StorageConfig)
    jobs: JobsConfig = Field(default_factory=JobsConfig)
    prices: PricesConfig = Field(default_factory=PricesConfig)
    api: ApiConfig = Field(default_factory=ApiConfig)
    log: LogConfig = Field(default_factory=LogConfig)
