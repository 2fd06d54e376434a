"""The root of every configuration section: frozen, unknown keys refused, documented by attribute docstrings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of `config.toml`. The docstring under each key is its manual: meaning, unit, and why this default."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True)
