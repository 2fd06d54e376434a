"""What policies that ask every span are told in `[[sampling.policies]]`: one section a type, and the section makes the policy.

docs/SAMPLING.md shows each with an example.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from observatory.model.clock import SECOND
from observatory.model.schema import schema
from observatory.model.section import Section
from observatory.model.signal import Signal
from observatory.policies import some_span
from observatory.policies.compound import Not
from observatory.policies.reason import Reason
from observatory.query.filter import FilterError, parse, to_mask


def _expression(pattern: str) -> str:
    try:
        pc.call_function("match_substring_regex", [pa.array([""])], pc.MatchSubstringOptions(pattern))
    except pa.ArrowInvalid as error:
        raise ValueError(f"expected a regular expression (RE2): {str(error).partition(': ')[2] or error}") from None
    return pattern


def _filter(text: str) -> str:
    try:
        to_mask(parse(text), schema(Signal.SPANS).empty_table(), "spans", 0)
    except FilterError as error:
        raise ValueError(str(error).partition("\n")[0].removeprefix("filter: ")) from None
    return text


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[tuple[Text, ...], Field(min_length=1)]
Expression = Annotated[str, Field(min_length=1), AfterValidator(_expression)]
Filter = Annotated[str, Field(min_length=1), AfterValidator(_filter)]
Seconds = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]


class Told(Section):
    """A part of a policy; keys that are absent are not written either."""

    @model_serializer(mode="wrap")
    def _without_the_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # TOML has no null
        return {key: value for key, value in handler(self).items() if value is not None and value != ""}


class Named(Told):
    """What all have."""

    name: str = ""
    """What lists, metrics and kept traces call it. Unique among the policies of the list; inside another policy it may be left out."""

    @property
    def called(self) -> str:
        """Its name, or its type."""
        return self.name or getattr(self, "type", "")


def nanoseconds(seconds: float) -> int:
    """Of a figure in the configuration."""
    return round(seconds * SECOND)


def need_one(**given: object) -> None:
    """Raises ValueError unless one of the keys was given."""
    if not any(value is not None and value != () for value in given.values()):
        raise ValueError(f"say {' or '.join(given)}, or both")


class StringPolicy(Named):
    """Keeps traces by the text of an attribute."""

    type: Literal["string"]
    """Keeps traces of which some span or resource has an attribute with one of these texts."""

    attribute: Text
    """Key of the attribute. What is no text is compared as it is shown: 200, true, 1.5, ["a","b"]."""

    values: tuple[Text, ...] = ()
    """Texts it may be, exactly."""

    patterns: tuple[Expression, ...] = ()
    """Regular expressions (RE2) that may be found in it; `^` and `$` hold on to its ends."""

    invert: bool = False
    """Keep the traces of which no span and no resource has such a text."""

    @model_validator(mode="after")
    def _asks(self) -> StringPolicy:
        need_one(values=self.values, patterns=self.patterns)
        return self

    def made(self) -> Reason:
        """The policy."""
        found = some_span.string(self.attribute, self.values, self.patterns, self.called)
        return Not((found,), self.called) if self.invert else found


class NumericPolicy(Named):
    """Keeps traces by a number in an attribute."""

    type: Literal["numeric"]
    """Keeps traces of which some span or resource has an attribute that is a number within bounds."""

    attribute: Text
    """Key of the attribute."""

    at_least: float | None = None
    """Lower bound, included."""

    at_most: float | None = None
    """Upper bound, included."""

    @model_validator(mode="after")
    def _bounded(self) -> NumericPolicy:
        need_one(at_least=self.at_least, at_most=self.at_most)
        return self

    def made(self) -> Reason:
        """The policy."""
        return some_span.numeric(self.attribute, self.at_least, self.at_most, self.called)


class BooleanPolicy(Named):
    """Keeps traces by a truth in an attribute."""

    type: Literal["boolean"]
    """Keeps traces of which some span or resource has an attribute with this truth."""

    attribute: Text
    """Key of the attribute."""

    value: bool = True
    """The truth it must have."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.boolean(self.attribute, self.value, self.called)


class StatusPolicy(Named):
    """Keeps traces by the status of a span."""

    type: Literal["status"]
    """Keeps traces of which some span has one of these statuses."""

    statuses: Annotated[tuple[Literal["error", "ok", "unset"], ...], Field(min_length=1)] = ("error",)
    """The statuses, as OTLP has them."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.status(self.statuses, self.called)


class TraceStatePolicy(Named):
    """Keeps traces by their W3C trace state."""

    type: Literal["trace_state"]
    """Keeps traces of which some span's trace state has a member with one of these values."""

    key: Text
    """Key of the member."""

    values: Texts
    """Its values, exactly."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.trace_state(self.key, self.values, self.called)


class TraceFlagsPolicy(Named):
    """Keeps what the client sampled."""

    type: Literal["trace_flags"]
    """Keeps traces of which some span carries the W3C flag `sampled`."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.trace_flags(self.called)


class ExpressionPolicy(Named):
    """Keeps traces by a filter."""

    type: Literal["expression"]
    """Keeps traces of which some span matches a filter."""

    filter: Filter
    """A filter over spans, in the language of docs/FILTER.md: `service:api http.route:/admin*`."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.expression(self.filter, self.called)


class ModelPolicy(Named):
    """Keeps traces by model."""

    type: Literal["model"]
    """Keeps traces in which one of these models was asked or answered."""

    models: Texts
    """Names of models; `*` stands for any text: `gpt-5*`."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.model(self.models, self.called)


class UserPolicy(Named):
    """Keeps traces by user."""

    type: Literal["user"]
    """Keeps traces of these users."""

    users: Texts
    """Users; `*` stands for any text."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.user(self.users, self.called)


class SessionPolicy(Named):
    """Keeps traces by session."""

    type: Literal["session"]
    """Keeps traces of these sessions."""

    sessions: Texts
    """Sessions; `*` stands for any text."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.session(self.sessions, self.called)


class ErrorClassPolicy(Named):
    """Keeps traces by the type of an error."""

    type: Literal["error_class"]
    """Keeps traces of which some span failed with one of these types (`error.type`)."""

    types: tuple[Text, ...] = ()
    """Types; `*` stands for any text: `openai.RateLimit*`."""

    patterns: tuple[Expression, ...] = ()
    """Regular expressions (RE2) that may be found in the type."""

    @model_validator(mode="after")
    def _asks(self) -> ErrorClassPolicy:
        need_one(types=self.types, patterns=self.patterns)
        return self

    def made(self) -> Reason:
        """The policy."""
        return some_span.error_class(self.types, self.patterns, self.called)


class FirstSeenPolicy(Named):
    """Keeps what is new."""

    type: Literal["first_seen"]
    """Keeps traces with a model, an error type, an operation or a span name that was never seen before, for a while."""

    of: Annotated[tuple[Literal["model", "error", "operation", "name"], ...], Field(min_length=1)] = ("model", "error", "operation", "name")
    """What is watched."""

    for_s: Seconds = 600.0
    """How long something is new. On a fresh data directory everything is."""

    def made(self) -> Reason:
        """The policy."""
        return some_span.first_seen(self.of, self.for_s, self.called)
