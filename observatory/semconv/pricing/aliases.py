"""Who bills, from what spans call a provider: the names of the semantic conventions and of libraries, in those of the price table."""

from __future__ import annotations

PROVIDERS = {
    "aws.bedrock": "aws",
    "az.ai.inference": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "cohere": "cohere",
    "fireworks-ai": "fireworks",
    "fireworks_ai": "fireworks",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "moonshot_ai": "moonshotai",
    "togetherai": "together",
    "x_ai": "x-ai",
    "z_ai": "zai",
    "z.ai": "zai",
}
"""Official names, and those that the table's own clauses would not recognise or would take for somebody else's."""

_LLAMA_CPP = ("llama.cpp", "llama-cpp", "llama_cpp", "llamacpp", "llamafile")
_LM_STUDIO = ("lm-studio", "lm_studio", "lmstudio")
LOCAL = frozenset(
    (*_LLAMA_CPP, *_LM_STUDIO, "hosted_vllm", "localai", "mlx", "ollama", "ollama_chat", "sglang", "tgi", "vllm", "xinference")
)
"""Programs that serve models on one's own machines. What a vendor charges for the same model is no price of theirs: only overrides are."""

_BILLED_BY = (("bedrock", "aws"), ("azure", "azure"))  # whoever made the model: `azure_openai`, `anthropic-bedrock`


def provider_name(reported: str | None) -> str | None:
    """A reported provider in lower case and by the table's name where it is known; None when nothing was reported.

    Libraries add the kind of API behind a dot (`openai.responses`, `anthropic.messages`); it is cut.
    """
    name = (reported or "").strip().lower()
    if not name:
        return None
    while name not in PROVIDERS and name not in LOCAL and "." in name:
        name = name.rpartition(".")[0]
    if name in PROVIDERS:
        return PROVIDERS[name]
    return next((billed_by for part, billed_by in _BILLED_BY if part in name), name)


def model_names(reported: str) -> list[str]:
    """How a table may spell a reported model, most literal first, in lower case: `models/gemini-2.5-pro` is `gemini-2.5-pro` as well."""
    name = reported.strip().lower()
    return list(dict.fromkeys((name, name.rpartition("/")[2]))) if "/" in name else [name]


def split_prefix(reported: str) -> tuple[str, str] | None:
    """Provider and model of `anthropic/claude-sonnet-4-5`, as routers and gateways name models; None when there is no prefix."""
    head, slash, rest = reported.strip().partition("/")
    name = provider_name(head) if slash and rest else None
    return (name, rest) if name else None
