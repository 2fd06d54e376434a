"""Calls and what they cost, computed by hand. Each part of a cost is written out as the arithmetic a person would do.

`$3/M` is three dollars for a million tokens, `$14/K` fourteen for a thousand requests, `$2/s` two for a second. The prices are those that
the providers publish, as the bundled table has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    title: str
    provider: str | None
    model: str | None
    usage: dict[str, int] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)  # of COSTS without `_cost_usd`; what is absent is 0
    total: str | None = None
    at: str = "2026-11-20 12:00"
    source: str | None = None
    reason: str | None = None
    tier: str | None = None
    host: str | None = None
    request_model: str | None = None
    overrides: tuple[dict[str, object], ...] = ()
    has_usage: bool = True
    is_error: bool = False


def tokens(input: int = 0, output: int = 0, **more: int) -> dict[str, int]:
    """`read=` cached, `write=` written to the cache, `hour=` of those for an hour, `heard=` and `spoken=` sound, `ns=` duration."""
    names = {
        "read": "cache_read_tokens",
        "write": "cache_write_tokens",
        "hour": "cache_write_1h_tokens",
        "reasoning": "reasoning_tokens",
        "heard": "input_audio_tokens",
        "spoken": "output_audio_tokens",
        "ns": "duration_ns",
    }
    return {"input_tokens": input, "output_tokens": output, **{names[key]: value for key, value in more.items()}}


LOCAL_GPU = {"name": "gpu", "provider": "vllm", "per_second": "0.0005"}
CONTRACT = {"name": "contract", "provider": "openai", "model": "gpt-4o*", "input": "2", "output": 8, "cache_read": 0.5}
YEAR = {"name": "2026", "model": "/^gpt-4\\.1$/", "input": 1, "output": 4, "from": "2026-01-01", "to": "2026-07-01"}
TIERED = {
    "name": "tiered",
    "model": "big-*",
    "input": 1,
    "output": 3,
    "tiers": [{"above_input_tokens": 100_000, "input": 2}, {"above_input_tokens": 500_000, "input": 4, "output": 6}],
}

CASES = [
    # --- cached input -------------------------------------------------------------------------------------------------------------
    Case(
        "anthropic: read and written cache, five minutes",
        "anthropic",
        "claude-sonnet-4-5-20250929",
        tokens(3282, 95, read=3120, write=128),
        {"input": "(3282-3120-128) × $3/M", "cache_read": "3120 × $0.30/M", "cache_write": "128 × $3.75/M", "output": "95 × $15/M"},
        "0.002943",
        source="anthropic/claude-sonnet-4-5",
    ),
    Case(
        "anthropic: cache written for an hour",
        "anthropic",
        "claude-sonnet-4-5",
        tokens(5000, 100, write=4000, hour=4000),
        {"input": "(5000-4000) × $3/M", "cache_write": "4000 × $6/M", "output": "100 × $15/M"},
        "0.0285",
    ),
    Case(
        "anthropic: both kinds of cache writes in one call",
        "anthropic",
        "claude-haiku-4-5",
        tokens(10_000, 200, read=2000, write=6000, hour=1000),
        {
            "input": "(10000-2000-6000) × $1/M",
            "cache_read": "2000 × $0.10/M",
            "cache_write": "(6000-1000) × $1.25/M + 1000 × $2/M",
            "output": "200 × $5/M",
        },
        "0.01145",
    ),
    Case(
        "anthropic: an hour's writes are writes, also when only they are reported",
        "anthropic",
        "claude-haiku-4-5",
        tokens(1000, 0, hour=400),
        {"input": "(1000-400) × $1/M", "cache_write": "400 × $2/M"},
        "0.0014",
    ),
    Case(
        "openai: cached input at half or a quarter",
        "openai",
        "gpt-4.1-2025-04-14",
        tokens(2000, 300, read=1536),
        {"input": "(2000-1536) × $2/M", "cache_read": "1536 × $0.50/M", "output": "300 × $8/M"},
        "0.004096",
        source="openai/gpt-4.1",
    ),
    Case(
        "a cache without a price of its own is input: mistral",
        "mistral_ai",
        "mistral-large-latest",
        tokens(1000, 10, read=800),
        {"input": "(1000-800) × $2/M", "cache_read": "800 × $2/M", "output": "10 × $6/M"},
        "0.00206",
    ),
    Case(
        "writing a cache without a price of its own is input: openai",
        "openai",
        "gpt-4.1",
        tokens(1000, 0, write=600),
        {"input": "(1000-600) × $2/M", "cache_write": "600 × $2/M"},
        "0.002",
    ),
    Case(
        "an hour's cache without a price of its own is as five minutes': openrouter",
        None,
        "anthropic/claude-sonnet-4.5",
        tokens(1000, 0, write=1000, hour=1000),
        {"cache_write": "1000 × $3.75/M"},
        "0.00375",
        host="openrouter.ai",
        source="openrouter/anthropic/claude-sonnet-4.5",
    ),
    Case(
        "more cached than input is cut",
        "anthropic",
        "claude-haiku-4-5",
        tokens(100, 0, read=3120, write=50),
        {"cache_read": "100 × $0.10/M"},
        "0.00001",
    ),
    Case(
        "deepseek: cached input, dear hours",
        "deepseek",
        "deepseek-chat",
        tokens(1_000_000, 1000, read=900_000),
        {"input": "100000 × $0.27/M", "cache_read": "900000 × $0.07/M", "output": "1000 × $1.10/M"},
        "0.0911",
    ),
    # --- reasoning ----------------------------------------------------------------------------------------------------------------
    Case(
        "openai: reasoning is inside output and billed as it",
        "openai",
        "o4-mini",
        tokens(75, 1186, reasoning=1024),
        {"input": "75 × $1.10/M", "output": "(1186-1024) × $4.40/M + 1024 × $4.40/M"},
        "0.0053009",
    ),
    Case(
        "google: thoughts are inside output",
        "gcp.gemini",
        "gemini-2.5-flash",
        tokens(50, 224, reasoning=128),
        {"input": "50 × $0.30/M", "output": "224 × $2.50/M"},
        "0.000575",
    ),
    Case(
        "perplexity: reasoning with a price of its own",
        "perplexity",
        "sonar-deep-research",
        tokens(1000, 5000, reasoning=3000),
        {"input": "1000 × $2/M", "output": "(5000-3000) × $8/M + 3000 × $3/M"},
        "0.027",
    ),
    Case(
        "more reasoning than output is cut",
        "perplexity",
        "sonar-deep-research",
        tokens(0, 10, reasoning=3000),
        {"output": "10 × $3/M"},
        "0.00003",
    ),
    # --- sound --------------------------------------------------------------------------------------------------------------------
    Case(
        "openai: sound in and out",
        "openai",
        "gpt-audio",
        tokens(1000, 500, heard=800, spoken=400),
        {"input": "(1000-800) × $2.50/M + 800 × $32/M", "output": "(500-400) × $10/M + 400 × $64/M"},
        "0.0527",
    ),
    Case(
        "openai: what is heard is taken to be new before it is taken to be cached",
        "openai",
        "gpt-realtime",
        tokens(1000, 0, read=600, heard=500),
        {"input": "(1000-600) × $32/M", "cache_read": "(600-100) × $0.40/M + 100 × $0.40/M"},
        "0.01304",
    ),
    Case(
        "google: cached sound has its price",
        "gcp.vertex_ai",
        "gemini-2.5-flash",
        tokens(1000, 0, read=1000, heard=300),
        {"cache_read": "(1000-300) × $0.03/M + 300 × $0.10/M"},
        "0.000051",
    ),
    Case(
        "bedrock: sound of nova",
        "aws.bedrock",
        "amazon.nova-sonic-v1:0",
        tokens(2000, 1000, heard=1500, spoken=700),
        {"input": "500 × $0.06/M + 1500 × $3.40/M", "output": "300 × $0.24/M + 700 × $13.60/M"},
        "0.014722",
    ),
    Case(
        "sound without a price of its own is text: gpt-4o-audio-preview",
        "openai",
        "gpt-4o-audio-preview-2024-12-17",
        tokens(1000, 100, heard=900, spoken=50),
        {"input": "1000 × $2.50/M", "output": "100 × $10/M"},
        "0.0035",
    ),
    # --- tiers by size ------------------------------------------------------------------------------------------------------------
    Case(
        "google: at 200,000 tokens the lower tier",
        "gcp.gen_ai",
        "gemini-2.5-pro",
        tokens(200_000, 1000),
        {"input": "200000 × $1.25/M", "output": "1000 × $10/M"},
        "0.26",
    ),
    Case(
        "google: above 200,000 tokens every token costs more, output as well",
        "gcp.gen_ai",
        "models/gemini-2.5-pro",
        tokens(200_001, 1000, read=100_000),
        {"input": "100001 × $2.50/M", "cache_read": "100000 × $0.25/M", "output": "1000 × $15/M"},
        "0.2900025",
        source="google/gemini-2.5-pro",
    ),
    Case(
        "anthropic: the tier counts cached tokens",
        "anthropic",
        "claude-sonnet-4-5",
        tokens(250_000, 10, read=240_000),
        {"input": "10000 × $6/M", "cache_read": "240000 × $0.60/M", "output": "10 × $22.50/M"},
        "0.204225",
    ),
    Case(
        "openai: the long context of gpt-5.4",
        "openai",
        "gpt-5.4",
        tokens(300_000, 2000),
        {"input": "300000 × $5/M", "output": "2000 × $22.50/M"},
        "1.545",
    ),
    # --- service tiers ------------------------------------------------------------------------------------------------------------
    Case(
        "openai: batch",
        "openai",
        "gpt-4.1",
        tokens(10_000, 1000),
        {"input": "10000 × $1/M", "output": "1000 × $4/M"},
        "0.014",
        tier="batch",
    ),
    Case(
        "anthropic: batch halves the cache too",
        "anthropic",
        "claude-haiku-4-5",
        tokens(1000, 100, read=500, write=200),
        {"input": "300 × $0.50/M", "cache_read": "500 × $0.05/M", "cache_write": "200 × $0.625/M", "output": "100 × $2.50/M"},
        "0.00055",
        tier="batch",
    ),
    Case(
        "openai: flex",
        "openai",
        "gpt-5",
        tokens(1000, 100, read=400),
        {"input": "600 × $0.625/M", "cache_read": "400 × $0.0625/M", "output": "100 × $5/M"},
        "0.0009",
        tier="flex",
    ),
    Case(
        "openai: priority",
        "openai",
        "gpt-4o",
        tokens(1000, 100),
        {"input": "1000 × $4.25/M", "output": "100 × $17/M"},
        "0.00595",
        tier="priority",
    ),
    Case(
        "openai: priority has no tier by size where the standard has one",
        "openai",
        "gpt-5.4",
        tokens(300_000, 0),
        {"input": "300000 × $5/M"},
        "1.5",
        tier="priority",
    ),
    Case(
        "a tier of another name is billed as none", "openai", "gpt-4o", tokens(1000), {"input": "1000 × $2.50/M"}, "0.0025", tier="default"
    ),
    Case(
        "a tier before it had a known price is billed as none",
        "openai",
        "gpt-4o",
        tokens(1000),
        {"input": "1000 × $2.50/M"},
        "0.0025",
        tier="priority",
        at="2026-10-11 23:59",
    ),
    # --- embeddings ---------------------------------------------------------------------------------------------------------------
    Case("openai: embeddings", "openai", "text-embedding-3-small", tokens(8), {"input": "8 × $0.02/M"}, "0.00000016"),
    Case("google: embeddings", "gcp.gemini", "gemini-embedding-001", tokens(2048), {"input": "2048 × $0.15/M"}, "0.0003072"),
    Case("voyage: embeddings", "voyageai", "voyage-3.5", tokens(12_345), {"input": "12345 × $0.06/M"}, "0.0007407"),
    # --- fees ---------------------------------------------------------------------------------------------------------------------
    Case(
        "perplexity: a fee for each request",
        "perplexity",
        "sonar-pro",
        tokens(100, 200),
        {"input": "100 × $3/M", "output": "200 × $15/M", "other": "1 × $14/K"},
        "0.0173",
    ),
    Case(
        "a local model by the second",
        "vllm",
        "Qwen/Qwen3-32B",
        tokens(100, 200, ns=2_345_678_901),
        {"other": "2.345678901 × $0.0005/s"},
        "0.001172839451",  # 0.0011728394505 rounded half up
        overrides=(LOCAL_GPU,),
        source="config:gpu",
    ),
    Case(
        "a local model by the second needs no usage",
        "vllm",
        "Qwen/Qwen3-32B",
        {"duration_ns": 10_000_000_000},
        {"other": "10 × $0.0005/s"},
        "0.005",
        overrides=(LOCAL_GPU,),
        has_usage=False,
    ),
    Case(
        "a fee and tokens of one's own",
        "acme",
        "m1",
        tokens(10, 20),
        {"input": "10 × $1/M", "output": "20 × $2/M", "other": "1 × $0.002/1"},
        "0.00205",
        overrides=({"name": "acme", "provider": "acme", "input": 1, "output": 2, "per_request": "0.002"},),
    ),
    # --- prices that change -------------------------------------------------------------------------------------------------------
    Case(
        "o3 on its last dear day",
        "openai",
        "o3",
        tokens(1_000_000, 1000),
        {"input": "1000000 × $10/M", "output": "1000 × $40/M"},
        "10.04",
        at="2025-06-09 23:59:59",
    ),
    Case(
        "o3 on its first cheap day",
        "openai",
        "o3",
        tokens(1_000_000, 1000),
        {"input": "1000000 × $2/M", "output": "1000 × $8/M"},
        "2.008",
        at="2025-06-10 00:00",
    ),
    Case(
        "claude-opus-4-6: the tier by size goes on a day",
        "anthropic",
        "claude-opus-4-6",
        tokens(300_000, 0),
        {"input": "300000 × $10/M"},
        "3.00",
        at="2026-03-12 23:00",
    ),
    Case(
        "claude-opus-4-6: the day after",
        "anthropic",
        "claude-opus-4-6",
        tokens(300_000, 0),
        {"input": "300000 × $5/M"},
        "1.50",
        at="2026-03-13 00:00",
    ),
    Case(
        "deepseek: cheap hours pass midnight",
        "deepseek",
        "deepseek-chat",
        tokens(1_000_000),
        {"input": "1000000 × $0.135/M"},
        "0.135",
        at="2026-11-20 00:29:59",
    ),
    Case(
        "deepseek: the dear hours begin",
        "deepseek",
        "deepseek-chat",
        tokens(1_000_000),
        {"input": "1000000 × $0.27/M"},
        "0.27",
        at="2026-11-20 00:30",
    ),
    Case(
        "deepseek: the dear hours end",
        "deepseek",
        "deepseek-chat",
        tokens(1_000_000),
        {"input": "1000000 × $0.135/M"},
        "0.135",
        at="2026-11-20 16:30",
    ),
    # --- names --------------------------------------------------------------------------------------------------------------------
    Case(
        "bedrock: a regional id costs a tenth more",
        "aws.bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        tokens(1000, 100),
        {"input": "1000 × $3.30/M", "output": "100 × $16.50/M"},
        "0.00495",
        source="aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    Case(
        "bedrock: a global id",
        "aws.bedrock",
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        tokens(1000, 100),
        {"input": "1000 × $3/M", "output": "100 × $15/M"},
        "0.0045",
    ),
    Case(
        "bedrock: an ARN",
        "aws.bedrock",
        "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
        tokens(1000),
        {"input": "1000 × $0.80/M"},
        "0.0008",
    ),
    Case(
        "openai: a fine-tuned model",
        "openai",
        "ft:gpt-4o-mini-2024-07-18:acme:support:AbC123",
        tokens(1000, 100),
        {"input": "1000 × $0.30/M", "output": "100 × $1.20/M"},
        "0.00042",
        source="openai/ft:gpt-4o-mini",
    ),
    Case(
        "azure: openai's models at openai's prices",
        "azure.ai.openai",
        "gpt-4.1-2025-04-14",
        tokens(1000),
        {"input": "1000 × $2/M"},
        "0.002",
        source="openai/gpt-4.1",
    ),
    Case("a compact date", "openai", "gpt-4.1-20250414", tokens(1000), {"input": "1000 × $2/M"}, "0.002"),
    Case("vertex: a dated claude", "gcp.vertex_ai", "claude-sonnet-4-5@20250929", tokens(1000), {"input": "1000 × $3/M"}, "0.003"),
    Case("an API's name behind a dot", "openai.responses", "gpt-4.1", tokens(1000), {"input": "1000 × $2/M"}, "0.002"),
    Case("a capital letter", "Anthropic", "Claude-Haiku-4-5", tokens(1000), {"input": "1000 × $1/M"}, "0.001"),
    Case(
        "x.ai by its official name", "x_ai", "grok-4-0709", tokens(1000, 100), {"input": "1000 × $3/M", "output": "100 × $15/M"}, "0.0045"
    ),
    Case("moonshot by its official name", "moonshot_ai", "kimi-k2-0905-preview", tokens(1000), {"input": "1000 × $0.60/M"}, "0.0006"),
    Case(
        "the address says who bills: an openai client at groq",
        "openai",
        "openai/gpt-oss-120b",
        tokens(1000),
        {"input": "1000 × $0.15/M"},
        "0.00015",
        host="api.groq.com",
        source="groq/openai/gpt-oss-120b",
    ),
    Case("no provider: the model's name says it", None, "claude-haiku-4-5", tokens(1000), {"input": "1000 × $1/M"}, "0.001"),
    Case("a framework in the provider's place", "langchain", "gpt-4.1", tokens(1000), {"input": "1000 × $2/M"}, "0.002"),
    Case(
        "the response's model is not known: the request's is",
        "openai",
        "my-deployment-17",
        tokens(1000),
        {"input": "1000 × $2/M"},
        "0.002",
        request_model="gpt-4.1",
    ),
    Case("a gateway's prefix", "litellm", "mistral/mistral-large-latest", tokens(1000), {"input": "1000 × $2/M"}, "0.002"),
    # --- a price that does not divide ---------------------------------------------------------------------------------------------
    Case(
        "openrouter: $0.0833333333333333 for a million",
        "openrouter",
        "google/gemini-2.5-flash",
        tokens(3_000_001, write=3_000_001),
        {"cache_write": "3000001 × $0.0833333333333333/M"},
        "0.250000083333",  # 0.2500000833333332… rounded
        source="openrouter/google/gemini-2.5-flash",
    ),
    # --- prices of one's own ------------------------------------------------------------------------------------------------------
    Case(
        "an override comes before the table",
        "openai",
        "gpt-4o-2024-11-20",
        tokens(1000, 100, read=400),
        {"input": "600 × $2/M", "cache_read": "400 × $0.50/M", "output": "100 × $8/M"},
        "0.0022",
        overrides=(CONTRACT,),
        source="config:contract",
    ),
    Case(
        "an override of other models leaves the table",
        "openai",
        "gpt-4.1",
        tokens(1000),
        {"input": "1000 × $2/M"},
        "0.002",
        overrides=(CONTRACT,),
    ),
    Case(
        "the day before an override",
        "openai",
        "gpt-4.1",
        tokens(1000),
        {"input": "1000 × $2/M"},
        "0.002",
        at="2025-12-31 23:59:59",
        overrides=(YEAR,),
        source="openai/gpt-4.1",
    ),
    Case(
        "its first day",
        "openai",
        "gpt-4.1",
        tokens(1000),
        {"input": "1000 × $1/M"},
        "0.001",
        at="2026-01-01 00:00",
        overrides=(YEAR,),
        source="config:2026",
    ),
    Case(
        "the day it ends",
        "openai",
        "gpt-4.1",
        tokens(1000),
        {"input": "1000 × $2/M"},
        "0.002",
        at="2026-07-01 00:00",
        overrides=(YEAR,),
        source="openai/gpt-4.1",
    ),
    Case(
        "below the tiers",
        "x",
        "big-1",
        tokens(100_000, 10),
        {"input": "100000 × $1/M", "output": "10 × $3/M"},
        "0.10003",
        overrides=(TIERED,),
    ),
    Case(
        "the first tier",
        "x",
        "big-1",
        tokens(100_001, 10),
        {"input": "100001 × $2/M", "output": "10 × $3/M"},
        "0.200032",
        overrides=(TIERED,),
    ),
    Case(
        "the second tier",
        "x",
        "big-1",
        tokens(600_000, 10),
        {"input": "600000 × $4/M", "output": "10 × $6/M"},
        "2.40006",
        overrides=(TIERED,),
    ),
    Case(
        "free, and known to be",
        "ollama",
        "llama3.2:3b",
        tokens(1000, 1000),
        {},
        "0",
        overrides=({"name": "home", "server_address": "localhost", "free": True},),
        host="localhost",
        source="config:home",
    ),
    Case(
        "free in the table",
        "openrouter",
        "deepseek/deepseek-r1:free",
        tokens(1000, 1000),
        {},
        "0",
        source="openrouter/deepseek/deepseek-r1:free",
    ),
    # --- no cost ------------------------------------------------------------------------------------------------------------------
    Case("an unknown model", "openai", "gpt-99-unheard-of", tokens(1000, 100), reason="unknown_model"),
    Case("neither provider nor model", None, None, tokens(1000, 100), reason="unknown_model"),
    Case("a local server's model is not a vendor's", "ollama", "deepseek-chat", tokens(1000), reason="unknown_model"),
    Case("an empty price list is no price", "cerebras", "qwen-3-coder-480b", tokens(1000), reason="unknown_model"),
    Case("no usage", "openai", "gpt-4.1", has_usage=False, reason="no_usage"),
    Case("billed by the hour of sound, which spans do not report", "openai", "whisper-1", tokens(1000), reason="no_usage"),
    Case("usage that cannot be", "openai", "gpt-4.1", tokens(2**62), reason="no_usage"),
    Case("an error without usage is neither priced nor unpriced", "openai", "gpt-4.1", has_usage=False, is_error=True),
    Case("an error with usage is billed", "openai", "gpt-4.1", tokens(1000), {"input": "1000 × $2/M"}, "0.002", is_error=True),
]
