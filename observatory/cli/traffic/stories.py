"""What happens in the demo: six applications, each a story of many steps with its own shape, models and troubles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from opentelemetry._logs import SeverityNumber
from opentelemetry.trace import SpanKind

from observatory.cli.traffic import people
from observatory.cli.traffic.calls import chat, embed, exchange, message, retrieve, tool
from observatory.cli.traffic.scene import Failed, Scene

Story = Callable[[Scene], Awaitable[None]]


async def support(scene: Scene) -> None:
    """A customer's question: web request, agent, retrieval, a tool, a streamed answer; now and then a second try."""
    ticket = scene.dice.choice(people.TICKETS)
    facts = {"{order}": f"A{scene.dice.randrange(10_000, 99_999)}", "{city}": scene.dice.choice(people.CITIES)}
    question, answer, result = (_filled(text, facts) for text in (ticket.question, ticket.answer, ticket.result))
    arguments = {key: _filled(value, facts) for key, value in ticket.arguments.items()}
    who = _who(scene)
    model = scene.dice.choices((people.GPT, people.GPT_MINI, people.SONNET), (5, 3, 2))[0]
    web = scene.at("shop-gateway", "3.8.1")
    with web.span("POST /chat", {"http.request.method": "POST", "http.route": "/chat", **who}, SpanKind.SERVER) as request:
        agent = web.at("support-assistant", "2.14.0")
        try:
            with agent.span("invoke_agent support", {**_agent("support"), **who}):
                await retrieve(agent, question, ticket.documents, who)
                asked = [message("user", question)]
                documents = message("system", "\n".join(ticket.documents))
                wish = (ticket.tool, arguments)
                call = await _patient(
                    agent, lambda: chat(agent, model, [documents, *asked], "", who=who, rules=people.SUPPORT_RULES, tool=wish)
                )
                await tool(agent, ticket.tool, arguments, result, who, call)
                asked += exchange(ticket.tool, call, arguments, result)
                cached = 1024 if scene.chance(0.4) else 0
                await chat(agent, model, [documents, *asked], answer, who=who, rules=people.SUPPORT_RULES, stream=True, cached=cached)
            if scene.chance(0.3):
                score = scene.dice.choices((1.0, 0.75, 0.25), (6, 3, 1))[0]
                agent.log(
                    "answer judged",
                    event="gen_ai.evaluation.result",
                    gen_ai__evaluation__name="helpfulness",
                    gen_ai__evaluation__score__value=score,
                    gen_ai__evaluation__score__label="pass" if score > 0.5 else "fail",
                )
            request.set_attribute("http.response.status_code", 200)
        except Failed as failure:
            agent.log(f"no answer for {facts['{order}']}: {failure}", SeverityNumber.ERROR, error__type=failure.kind)
            request.set_attribute("http.response.status_code", 502)
            raise


async def research(scene: Scene) -> None:
    """A question that takes a while: a plan, sub-agents side by side that search and read, a long report."""
    question, topics = scene.dice.choice(people.RESEARCH)
    who = _who(scene)
    lead = scene.at("research-agent", "0.9.3", "staging")

    async def look_into(topic: str, part: Scene) -> None:
        with part.span("invoke_agent reader", {**_agent("reader"), "research.topic": topic, **who}):
            for turn in range(scene.dice.randint(1, 3)):
                query = {"query": f"{topic} {turn + 1}"}
                asked = [message("user", f"{question} Look into: {topic}.")]
                call = await chat(part, people.HAIKU, asked, "", who=who, tool=("web_search", query))
                found = '[{"title":"A review of the evidence","url":"https://example.org/a"}]'
                await tool(part, "web_search", query, found, who, call, seconds=0.9, failing=0.06)
            asked = [message("user", f"Summarise what you found on {topic}.")]
            await chat(part, people.HAIKU, asked, part.dice.choice(people.FINDINGS), who=who)

    with lead.span("invoke_workflow research", {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "research", **who}):
        plan = "1. " + "\n2. ".join(topics)
        await chat(lead, people.O_MINI, [message("user", question)], plan, who=who, reasoning=scene.dice.randrange(200, 1800))
        await lead.together(*(lambda part, topic=topic: look_into(topic, part) for topic in topics))
        report = "\n\n".join(scene.dice.choices(people.FINDINGS, k=8))
        finish = "length" if scene.chance(0.1) else "stop"
        await chat(
            lead, people.SONNET, [message("user", f"{question}\n{report}")], report, who=who, stream=True, cached=4096, finish=finish
        )


async def invoices(scene: Scene) -> None:
    """A batch of scanned documents, a few at a time; a bad scan fails alone."""
    job = scene.at("invoice-extractor", "5.2.0")
    count = scene.dice.randint(6, 24)

    async def read(number: int, part: Scene) -> None:
        kind = part.dice.choice(people.DOCUMENT_KINDS)
        with part.span("extract page", {"document.kind": kind, "document.number": number}):
            prompt = [message("user", f"Extract the fields of this {kind} as JSON. [image, 1.2 MB]")]
            fields = f'{{"kind":"{kind}","number":"{number:06}","total":"{part.dice.randrange(5, 4000)}.00","currency":"EUR"}}'
            await chat(part, people.GEMINI, prompt, fields, who={}, failing=0.04)
            if part.chance(0.05):
                raise Failed("ValidationError", "total: expected an amount, got 'see overleaf'")

    with job.span(
        "process batch", {"batch.size": count, "messaging.system": "sqs", "messaging.operation.type": "process"}, SpanKind.CONSUMER
    ):
        for begin in range(0, count, 4):
            await job.together(*(lambda part, n=n: read(n, part) for n in range(begin, min(begin + 4, count))))
        job.log(f"batch of {count} documents done")


async def review(scene: Scene) -> None:
    """A pull request: every file is read with the repository as a cached prefix; comments come back in a row."""
    bot = scene.at("code-review-bot", "1.31.0")
    who = {"user.id": scene.dice.choice(people.USERS)}
    with bot.span("invoke_agent reviewer", {**_agent("reviewer"), "vcs.change.id": str(scene.dice.randrange(100, 4000)), **who}):
        for path, comment in scene.dice.sample(people.REVIEWS, scene.dice.randint(1, len(people.REVIEWS))):
            await tool(bot, "read_file", {"path": path}, "…", who, seconds=0.02)
            prompt = [message("user", f"Review the change of {path}.\n" + "+ changed line\n" * 120)]
            await chat(bot, people.SONNET, prompt, comment, who=who, cached=scene.dice.randrange(20_000, 90_000), failing=0.05)
        await tool(bot, "post_comments", {"event": "COMMENT"}, '{"ok":true}', who, seconds=0.4)


async def translation(scene: Scene) -> None:
    """One call to a model on the same machine: the smallest trace there is."""
    cli = scene.at("translate-cli", "0.3.0", "development")
    ticket = scene.dice.choice(people.TICKETS)
    await chat(
        cli, people.LOCAL, [message("user", f"Translate into English: {ticket.answer}")], ticket.answer, who={}, stream=True, failing=0.01
    )


async def indexing(scene: Scene) -> None:
    """Documents on their way into the search index: a wide, flat trace without a chat."""
    job = scene.at("search-indexer", "1.4.2")
    with job.span("index documents", {"index.name": "help-center"}):
        for ticket in scene.dice.choices(people.TICKETS, k=scene.dice.randint(10, 60)):
            await embed(job, " ".join(ticket.documents), {})


STORIES: tuple[tuple[Story, int], ...] = ((support, 10), (research, 2), (invoices, 2), (review, 3), (translation, 4), (indexing, 1))
"""Each story and how often it happens among the others."""


async def _patient(scene: Scene, call: Callable[[], Awaitable[str]]) -> str:
    """As most applications do: one more try after a short wait, when the first was refused for its rate."""
    try:
        return await call()
    except Failed as failure:
        if failure.kind != "RateLimitError":
            raise
        scene.log(f"trying again in 1 s: {failure}", SeverityNumber.WARN, error__type=failure.kind)
        await scene.pace.spend(1.0)
        return await call()


def _who(scene: Scene) -> dict[str, str]:
    user = scene.dice.choice(people.USERS)
    return {"user.id": user, "gen_ai.conversation.id": f"{user}-{scene.pace.now() // 600_000_000_000 % 1000:03}"}


def _agent(name: str) -> dict[str, str]:
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}


def _filled(text: str, facts: dict[str, str]) -> str:
    for mark, fact in facts.items():
        text = text.replace(mark, fact)
    return text


async def play(scene: Scene, story: Story) -> None:
    """Run one story to its end, good or bad."""
    try:
        await story(scene)
    except Failed:
        await asyncio.sleep(0)  # the spans say what happened
