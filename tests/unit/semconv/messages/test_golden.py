"""One recorded span of each form, and its messages as they were read and found right by a person.

After a change that is meant, `python tests/unit/semconv/messages/test_golden.py` writes the files again; the difference is what to review.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from captured import conversations, names

from observatory.semconv.messages.found import Conversation

GOLDEN = Path(__file__).parent / "golden"
# form: (capture, name of the span, which of those that have something in this form)
SPANS = {
    "genai_attributes": ("pydantic-ai-logfire/delegation", "chat gpt-4o-mini", 1),
    "genai_log_event": ("handmade/semconv_structured", "chat gemini-2.5-pro", 0),
    "message_log_events": ("otel-openai-v2/tools", "chat gpt-4o", 1),
    "message_span_events": ("strands-native/agent", "execute_event_loop_cycle", 1),
    "pydantic_ai_events": ("pydantic-ai-0.8/delegation", "chat gpt-4.1", 0),
    "openllmetry_indexed": ("openllmetry-0.43/tools", "openai.chat", 1),
    "openllmetry_entity": ("openllmetry-0.43/decorated", "lookup_order.tool", 0),
    "openllmetry_tool": ("openllmetry-langchain/agent", "execute_tool get_weather", 0),
    "openinference_indexed": ("openinference-clients/anthropic_tools", "messages.create", 1),
    "openinference_values": ("openinference-langchain/agent", "get_weather", 0),
    "vercel_ai": ("vercel-ai-5-proto/agent", "ai.generateText.doGenerate", 1),
    "pydantic_ai": ("pydantic-ai-logfire/delegation", "invoke_agent researcher", 0),
    "langfuse": ("langfuse-sdk/tools", "OpenAI-generation", 1),
    "langsmith": ("langsmith-otel/agent", "ChatOpenAI", 1),
    "litellm_raw": ("litellm-otel/tools", "raw_gen_ai_request", 0),
    "documents": ("openinference-langchain/rag", "VectorStoreRetriever", 0),
    "embeddings": ("openinference-clients/embeddings", "CreateEmbeddings", 0),
    "reasoning": ("openinference-clients/anthropic_thinking", "messages.create", 0),
    "not_captured": ("otel-genai-1.3-nocontent/tools", "chat gpt-4o", 0),
}


def found(form: str) -> Conversation:
    capture, name, number = SPANS[form]
    return [conversation for span, conversation in conversations(capture) if span.name == name][number]


def text(conversation: Conversation) -> str:
    return json.dumps(asdict(conversation), ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("form", SPANS)
def test_messages_are_as_reviewed(form):
    assert text(found(form)) == (GOLDEN / f"{form}.json").read_text()


def test_every_form_of_the_captures_has_a_golden_file():
    forms = {form for name in names() for _, conversation in conversations(name) for form in conversation.source.values()}
    assert forms - {"span_name", "strands_agent_tools"} <= {form for each in SPANS for form in found(each).source.values()}


if __name__ == "__main__":
    for each in SPANS:
        (GOLDEN / f"{each}.json").write_text(text(found(each)))
