"""Looks for what people with other eyes and hands cannot use: axe-core, from the page's own node_modules."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
    const { violations } = await axe.run(document, { resultTypes: ["violations"] });
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    return serious.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`));
}"""


@cache
def _script() -> str:
    return _SCRIPT.read_text()


def serious(page: Page) -> list[str]:
    """Every serious or critical finding of the page as it stands. The script comes by the debugger, which no security policy stops."""
    page.evaluate(_script())
    return page.evaluate(_RUN)
