"""What the demo's applications talk about: questions, answers, documents, tools, and the models that serve them."""

from __future__ import annotations

from typing import NamedTuple


class Model(NamedTuple):
    """A model as its callers meet it: how soon the first token comes (seconds, median) and how fast the rest (tokens a second)."""

    provider: str
    name: str
    served_as: str
    host: str
    first_token_s: float
    tokens_per_s: float


GPT = Model("openai", "gpt-4.1", "gpt-4.1-2025-04-14", "api.openai.com", 0.42, 74)
GPT_MINI = Model("openai", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "api.openai.com", 0.31, 118)
O_MINI = Model("openai", "o4-mini", "o4-mini-2025-04-16", "api.openai.com", 2.1, 95)
SONNET = Model("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "api.anthropic.com", 0.88, 62)
HAIKU = Model("anthropic", "claude-haiku-4-5", "claude-haiku-4-5-20251001", "api.anthropic.com", 0.36, 140)
GEMINI = Model("gcp.gemini", "gemini-2.5-flash", "gemini-2.5-flash", "generativelanguage.googleapis.com", 0.38, 190)
LOCAL = Model("ollama", "llama3.1:8b", "llama3.1:8b", "localhost", 0.19, 31)
EMBEDDING = Model("openai", "text-embedding-3-small", "text-embedding-3-small", "api.openai.com", 0.06, 4000)

USERS = ("u-ada", "u-bashir", "u-chen", "u-diana", "u-emeka", "u-freya", "u-goran", "u-hana", "u-ivo", "u-june", "u-kofi", "u-lena")
CITIES = ("Lisbon", "Nairobi", "Osaka", "Tallinn", "Valparaíso", "Winnipeg")


class Ticket(NamedTuple):
    """One customer question with what it takes to answer it."""

    question: str
    documents: tuple[str, ...]
    tool: str
    arguments: dict[str, str]
    result: str
    answer: str


TICKETS = (
    Ticket(
        "My order {order} was promised for Tuesday and is still not here. Where is it?",
        ("Shipping times by region, updated weekly.", "Parcels held at customs: what we can and cannot do."),
        "lookup_order",
        {"order_id": "{order}"},
        '{"order_id":"{order}","status":"in_transit","carrier":"DHL","last_scan":"{city}","eta_days":2}',
        "Your order {order} was scanned in {city} this morning and is expected within two days. "
        "I have asked the carrier for an exact window and you will get a message as soon as it is known.",
    ),
    Ticket(
        "I was charged twice for order {order}. Please give me one of the payments back.",
        ("Refund policy: full refund within 30 days, duplicate charges always.", "How card authorisations differ from charges."),
        "issue_refund",
        {"order_id": "{order}", "reason": "duplicate charge"},
        '{"refund_id":"rf_{order}","amount":"49.90","currency":"EUR","state":"pending"}',
        "You are right: the card was charged twice. I have refunded 49.90 EUR (reference rf_{order}); "
        "depending on your bank it shows up in three to five working days.",
    ),
    Ticket(
        "Can I change the delivery address of {order} to our office in {city}?",
        ("Address changes are possible until the parcel leaves the warehouse.", "Business addresses need a company name."),
        "change_address",
        {"order_id": "{order}", "city": "{city}"},
        '{"order_id":"{order}","changed":true}',
        "Done. Order {order} now goes to your office in {city}. Please make sure that the company name is on the door.",
    ),
    Ticket(
        "The lamp arrived with a broken switch. Do I have to send the whole thing back?",
        ("Warranty: two years, parts are replaced first.", "Photos of damages speed things up.", "Return labels by country."),
        "search_parts",
        {"product": "desk lamp", "part": "switch"},
        '{"part":"SW-2210","in_stock":14,"price":"0.00"}',
        "No need to send it back. A new switch (part SW-2210) is on its way to you at no cost, with a one-page guide. "
        "If you would rather not fix it yourself, answer this message and we will collect the lamp.",
    ),
    Ticket(
        "¿Puedo pagar a plazos? El total es de 320 euros.",
        ("Instalments: three or six, from 100 EUR.", "Países donde se ofrecen los plazos."),
        "payment_options",
        {"total": "320", "currency": "EUR"},
        '{"options":[{"months":3,"rate":106.67},{"months":6,"rate":54.40}]}',
        "Sí. Con 320 euros puede elegir tres plazos de 106,67 euros sin intereses, o seis de 54,40 euros.",
    ),
    Ticket(
        "注文 {order} の領収書をもう一度送っていただけますか。",
        ("Invoices can be sent again for ten years.",),
        "resend_invoice",
        {"order_id": "{order}", "language": "ja"},
        '{"sent":true}',
        "注文 {order} の領収書を、ご登録のメールアドレスに再送いたしました。数分以内に届きます。",
    ),
)

SUPPORT_RULES = (
    "You are the support assistant of a furniture shop. Be brief and exact. Use the documents; when they do not say, say so. "
    "Never promise a date that no tool gave you. Refunds above 200 EUR go to a colleague."
)

RESEARCH = (
    ("How did heat pump prices develop in Europe since 2021, and why?", ("market size", "subsidies by country", "component costs")),
    ("Compare the safety record of sodium-ion and lithium iron phosphate batteries.", ("thermal runaway", "field incidents", "standards")),
    ("Which cities have cut commuting time since introducing congestion charges?", ("London", "Stockholm", "Milan", "Singapore")),
    ("What is known about the effect of four-day weeks on output?", ("Iceland trials", "UK pilot", "critique of the methods")),
)
FINDINGS = (
    "Three independent sources agree within 8 %; the oldest of them counts installations, the other two sales.",
    "The effect is visible in the first year and halves in the second. Weather explains about a third of it.",
    "Figures before 2022 are not comparable, because the definition changed; the revised series starts in March 2022.",
    "Only one field study controls for selection. Its estimate is smaller than the headline figure, but of the same sign.",
)

REVIEWS = (
    ("src/billing/invoice.py", "The loop adds floats; sums of money drift. Use Decimal, and quantise once at the end."),
    (
        "src/api/upload.ts",
        "The size is checked after the whole body was read into memory. Check Content-Length first and count while reading.",
    ),
    ("cmd/worker/main.go", "The context is not passed to the retry, so that a cancelled job goes on for up to two minutes."),
    ("lib/cache.rb", "Two threads can both miss and both fill. Harmless here, but the second write resets the expiry."),
)

DOCUMENT_KINDS = ("invoice", "delivery note", "credit note", "contract page", "receipt")
