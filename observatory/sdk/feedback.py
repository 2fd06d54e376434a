"""What a person or a program says of an answer, to the API of the server; queued, bounded and sent like everything else."""

from __future__ import annotations

import json
import uuid
from typing import Any

from opentelemetry import baggage, trace

from observatory.sdk import guard, settings
from observatory.sdk.context import USER
from observatory.sdk.export import Sending
from observatory.sdk.outbox import Outbox, Outcome
from observatory.sdk.transport import Http

_MOST = 1000
"""The server takes so many in one request."""


class FeedbackExport:
    """An outbox of feedback."""

    def __init__(self, sending: Sending) -> None:
        self._config = sending.config
        self._http: Http | None = None
        self.outbox = Outbox(
            "feedback",
            self._deliver,
            max_items=_MOST,
            max_bytes=sending.config.queue_bytes,
            batch_items=_MOST,
            delay_s=min(1.0, sending.config.delay_s),
        )

    def _deliver(self, batch: list[dict[str, Any]], largest: int) -> Outcome:
        self._http = self._http or Http(self._config)
        body = json.dumps(batch, ensure_ascii=False).encode()
        return self._http.send(f"{self._config.api_endpoint}/api/v1/feedback", body, "application/json")


@guard.safely
def feedback(
    score: float | bool | None = None,
    *,
    name: str = "user-feedback",
    label: str | None = None,
    comment: str | None = None,
    trace_id: str | None = None,
    span_id: str | None = None,
    response_id: str | None = None,
    user: str | None = None,
    id: str | None = None,
) -> str | None:
    """Say something of the current trace, or of the one given (32 hex digits), or of a provider's response id.

    A score or a label is needed. Gives the feedback's id, with which it can be said again in other words; None when nothing was sent: no
    trace is running and none was given. It returns at once.
    """
    client = settings.active
    if client is None or (score is None and label is None):
        guard.say_once("feedback: needs a running `observatory.init()` and a score or a label")
        return None
    current = trace.get_current_span().get_span_context()
    if trace_id is None and response_id is None:
        if not current.is_valid:
            guard.say_once("feedback: there is no current trace; give trace_id or response_id")
            return None
        trace_id, span_id = f"{current.trace_id:032x}", span_id or f"{current.span_id:016x}"
    said_by = user or baggage.get_baggage(USER)
    said = {
        "id": id or uuid.uuid4().hex,
        "name": name,
        "score": None if score is None else float(score),
        "label": label,
        "comment": comment,
        "trace_id": trace_id,
        "span_id": span_id,
        "response_id": response_id,
        "user_id": said_by,
    }
    client.feedback.outbox.put({key: value for key, value in said.items() if value is not None}, 300 + len(comment or ""))
    return said["id"]
