"""What the provider saw and said: the truth that telemetry is compared with."""

from __future__ import annotations

from dataclasses import dataclass, field

from observatory.testing.provider.script import Script, Tool


@dataclass(slots=True)
class Call:
    """One HTTP call. Input tokens include cached ones, output tokens include reasoning; both 0 where an error was answered.

    `usage_sent` is false where the client could not know the usage: a stream that did not ask for it or that broke before it. `first_s`
    is the time from the request to the first chunk (None when nothing was streamed). `ended` is false when the client went away first.
    """

    api: str
    model: str
    stream: bool
    prompt: str
    headers: dict[str, str]
    script: Script
    response_id: str = ""
    response_model: str = ""
    status: int = 200
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    text: str = ""
    tools: tuple[Tool, ...] = ()
    usage_sent: bool = True
    first_s: float | None = None
    took_s: float = 0.0
    ended: bool = False
    kind: str = "llm"
    inputs: list[str] = field(default_factory=list)
    """Of an embedding: the texts."""

    @property
    def failed(self) -> bool:
        """It was answered with an error, or its stream was broken on purpose."""
        return self.status >= 400 or self.script.break_after is not None

    def pieces(self) -> list[str]:
        """The answer as a stream gives it: word by word."""
        words = self.text.split(" ")
        return [word if i == 0 else f" {word}" for i, word in enumerate(words)]
