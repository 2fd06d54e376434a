"""What providers and frameworks send, as the GenAI convention writes it; each case is a documented shape of its maker."""

from __future__ import annotations

import pytest

from observatory.semconv.messages.parts import parts
from observatory.semconv.messages.shapes import messages, request, response, tool_definitions
from observatory.semconv.messages.span import At

PIXEL = "iVBORw0KGgo="
AT = At("attributes:x")


def text(content: str) -> dict:
    return {"type": "text", "content": content}


@pytest.mark.parametrize(
    ("block", "part"),
    [
        ("hi", text("hi")),
        ({"type": "input_text", "text": "hi"}, text("hi")),
        ({"type": "text", "content": [{"type": "text", "text": "hi"}]}, text("hi")),
        ({"text": "hi"}, text("hi")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "reasoning", "content": "hm", "signature": "s"}),
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}, {"text": "b"}]},
            {"type": "reasoning", "content": "a\nb"},
        ),
        ({"text": "hm", "thought": True}, {"type": "reasoning", "content": "hm"}),
        (
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
            {"type": "reasoning", "content": "hm", "signature": "s"},
        ),
        ({"type": "redacted_thinking", "data": "abcd"}, {"type": "redacted_reasoning", "size": 4}),
        ({"type": "refusal", "refusal": "no"}, {"type": "refusal", "content": "no"}),
        *(
            (call, {"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}})
            for call in (
                {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"a":1}'},
                {"type": "tool_call", "id": "1", "name": "f", "arguments": '"{\\"a\\":1}"'},
                {"type": "function", "id": "1", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"type": "tool_use", "id": "1", "name": "f", "input": {"a": 1}, "caller": None},
                {"type": "tool-call", "toolCallId": "1", "toolName": "f", "args": {"a": 1}},
                {"type": "function_call", "id": "fc", "call_id": "1", "name": "f", "arguments": '{"a":1}', "status": "completed"},
                {"toolUse": {"toolUseId": "1", "name": "f", "input": {"a": 1}}},
                {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}},
                {"function_call": {"id": "1", "name": "f", "args": {"a": 1}}},
            )
        ),
        *(
            (answer, {"type": "tool_call_response", "id": "1", "response": "22"})
            for answer in (
                {"type": "tool_call_response", "id": "1", "response": "22"},
                {"type": "tool_call_response", "id": "1", "result": "22"},
                {"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text", "text": "22"}]},
                {"type": "tool-result", "toolCallId": "1", "output": {"type": "text", "value": "22"}},
                {"type": "function_call_output", "call_id": "1", "output": "22"},
                {"toolResult": {"toolUseId": "1", "status": "success", "content": [{"text": "22"}]}},
            )
        ),
        (
            {"functionResponse": {"name": "f", "response": {"t": 22}}},
            {"type": "tool_call_response", "name": "f", "response": {"t": 22}},
        ),
        *(
            (image, {"type": "uri", "modality": "image", "uri": "https://x.test/a.png"})
            for image in (
                {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "detail": "low"}},
                {"type": "input_image", "image_url": "https://x.test/a.png"},
                {"type": "image", "source": {"type": "url", "url": "https://x.test/a.png"}},
                {"kind": "image-url", "url": "https://x.test/a.png"},
            )
        ),
        *(
            (image, {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL})
            for image in (
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": PIXEL},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                {"type": "image", "image": PIXEL, "mediaType": "image/png"},
                {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
                {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                {"kind": "binary", "media_type": "image/png", "data": PIXEL},
            )
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAAA"},
        ),
        (
            {"type": "file", "file": {"file_id": "f-1", "filename": "a.pdf"}},
            {"type": "file", "modality": "document", "file_id": "f-1"},
        ),
        (
            {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://b/v.mp4"}},
            {"type": "uri", "modality": "video", "mime_type": "video/mp4", "uri": "gs://b/v.mp4"},
        ),
        ({"type": "compaction", "content": "so far …"}, {"type": "compaction", "content": "so far …"}),
        ({"type": "new_thing", "x": 1}, {"type": "new_thing", "x": 1}),
        ({"any": "value"}, {"type": "json", "content": {"any": "value"}}),
    ],
)
def test_blocks(block, part):
    assert parts(block, AT) == [part]


def test_calls_of_a_providers_own_tools():
    call = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    answer = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "u"}]}
    assert parts([call, answer], AT) == [
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "server_tool_call": {"type": "web_search", "input": {"query": "x"}}},
        {"type": "server_tool_call_response", "id": "s1", "server_tool_call_response": {"type": "web_search", "content": [{"url": "u"}]}},
    ]
    openai = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "x"}}
    assert parts(openai, AT) == [
        {"type": "server_tool_call", "id": "ws", "name": "web_search", "server_tool_call": {"type": "web_search", "action": {"query": "x"}}}
    ]


@pytest.mark.parametrize(("said", "kept", "flags"), [("{broken", {}, {"truncated"}), ("not json", "not json", {"malformed_json"})])
def test_arguments_that_are_no_json_are_kept_and_flagged(said, kept, flags):
    at = At("x")
    assert parts({"type": "tool_call", "name": "f", "arguments": said}, at)[0]["arguments"] == kept
    assert at.flags == flags


@pytest.mark.parametrize("said", [None, "", " "])
def test_no_arguments_are_an_empty_object(said):
    assert parts({"type": "tool_call", "name": "f", "arguments": said}, AT)[0]["arguments"] == {}


def test_openai_chat():
    assert messages(
        [
            {"role": "developer", "content": "be brief"},
            {
                "role": "user",
                "name": "ann",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://i"}}],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": ""}}],
            },
            {"role": "tool", "tool_call_id": "1", "content": "22"},
        ],
        AT,
    ) == [
        {"role": "developer", "parts": [text("be brief")]},
        {"role": "user", "name": "ann", "parts": [text("a"), {"type": "uri", "modality": "image", "uri": "https://i"}]},
        {
            "role": "assistant",
            "parts": [{"type": "reasoning", "content": "hm"}, {"type": "tool_call", "id": "1", "name": "f", "arguments": {}}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "22"}]},
    ]


def test_openai_responses_items_are_one_answer():
    items = [
        {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so", "annotations": []}]},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
    ]
    assert response({"object": "response", "output": items, "status": "completed"}, AT) == [
        {
            "role": "assistant",
            "finish_reason": "completed",
            "parts": [{"type": "reasoning", "content": "hm"}, text("so"), {"type": "tool_call", "id": "1", "name": "f", "arguments": {}}],
        }
    ]
    asked = request({"model": "m", "instructions": "be brief", "input": [{"role": "user", "content": "q"}, *items[2:]]}, AT)
    assert asked.system == [text("be brief")]
    assert [message["role"] for message in asked.messages] == ["user", "assistant"]


@pytest.mark.parametrize(
    "answer",
    [
        {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}]},
        {"role": "assistant", "content": [{"type": "text", "text": "yes"}], "stop_reason": "stop"},
        {"candidates": [{"content": {"role": "model", "parts": [{"text": "yes"}]}, "finishReason": "stop"}]},
        {"output": {"message": {"role": "assistant", "content": [{"text": "yes"}]}}, "stopReason": "stop"},
        {"generations": [[{"text": "yes", "generation_info": {"finish_reason": "stop"}}]]},
        {
            "generations": [
                [
                    {
                        "message": {"lc": 1, "id": ["x", "AIMessage"], "kwargs": {"content": "yes"}},
                        "generation_info": {"finish_reason": "stop"},
                    }
                ]
            ]
        },
    ],
)
def test_answers_of_every_provider_are_one(answer):
    assert response(answer, AT) == [{"role": "assistant", "parts": [text("yes")], "finish_reason": "stop"}]


@pytest.mark.parametrize(
    ("asked", "system"),
    [
        ({"model": "m", "messages": [{"role": "user", "content": "q"}], "system": "s"}, [text("s")]),
        ({"contents": [{"role": "user", "parts": [{"text": "q"}]}], "config": {"system_instruction": "s"}}, [text("s")]),
        ({"contents": "q", "systemInstruction": {"parts": [{"text": "s"}]}}, [text("s")]),
        ({"prompt": "q", "system": "s"}, [text("s")]),
        ({"messages": [[{"lc": 1, "id": ["x", "HumanMessage"], "kwargs": {"content": "q", "type": "human"}}]]}, []),
        ({"messages": [{"type": "human", "data": {"content": "q"}}]}, []),
        ("q", []),
    ],
)
def test_questions_of_every_provider_are_one(asked, system):
    found = request(asked, AT)
    assert found.messages == [{"role": "user", "parts": [text("q")]}]
    assert found.system == system


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}},
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}},
        {"name": "f", "description": "d", "input_schema": {"type": "object"}},
        {"type": "function", "name": "f", "description": "d", "inputSchema": {"type": "object"}},
        {"toolSpec": {"name": "f", "description": "d", "inputSchema": {"json": {"type": "object"}}}},
        {"function_declarations": [{"name": "f", "description": "d", "parameters": {"type": "object"}}]},
        {"name": "f", "description": "d", "parameters_json_schema": {"type": "object"}},
        '{"type":"function","name":"f","description":"d","parameters":{"type":"object"}}',
    ],
)
def test_tools_of_every_provider_are_one(tool):
    assert tool_definitions([tool], AT) == [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}]


def test_an_applications_own_values_are_no_messages():
    assert request({"role": "helpful guide", "question": "q"}, AT).messages == [
        {"role": "user", "parts": [{"type": "json", "content": {"role": "helpful guide", "question": "q"}}]}
    ]
    assert response(0.9, AT) == [{"role": "assistant", "parts": [{"type": "json", "content": 0.9}]}]


def test_vectors_are_counted_not_shown():
    assert response({"data": [{"embedding": [0.1, 0.2, 0.3]}]}, AT)[0]["parts"][0]["content"] == {"data": [{"embedding": "[3 numbers]"}]}
    assert response({"scores": [0.5] * 1536}, AT)[0]["parts"][0]["content"] == {"scores": "[1536 numbers]"}
    assert response({"ids": [1, 2, 3]}, AT)[0]["parts"][0]["content"] == {"ids": [1, 2, 3]}
