"""Settings: what is configured, what set it, how it is changed; secrets stay secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe import serious
from playwright.sync_api import Page, expect

from observatory.testing.server import ServerProcess


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """An appliance with a configuration file and keys."""
    home: Path = tmp_path_factory.mktemp("settings")
    (home / "config.toml").write_text('[storage]\nretention_days = 3\n[receivers]\napi_keys = ["never-shown-key"]\n')
    with ServerProcess(home / "data", "--config", str(home / "config.toml")) as running:
        yield running


def test_each_key_says_its_value_and_what_set_it(page: Page) -> None:
    page.goto("/settings")
    row = page.locator(".setting", has=page.get_by_text("retention_days", exact=True))
    expect(row.locator(".setting-value")).to_contain_text("3")
    expect(row.locator(".tag")).to_have_text(re.compile("config.toml$"))
    expect(row).to_contain_text("OBSERVATORY_STORAGE__RETENTION_DAYS")
    expect(row).to_contain_text("default 7")
    expect(page.locator(".setting", has=page.get_by_text("otlp_grpc", exact=True)).locator(".tag")).to_have_text("--otlp-grpc")
    expect(page.locator(".settings-how")).to_contain_text("config.toml")


def test_secrets_are_counted_not_shown(page: Page) -> None:
    page.goto("/settings")
    row = page.locator(".setting", has=page.get_by_text("api_keys", exact=True))
    expect(row.locator(".setting-value")).to_contain_text('["***"]')
    assert "never-shown" not in page.content()


def test_keys_are_found_and_the_address_says_which(page: Page) -> None:
    page.goto("/settings")
    expect(page.locator(".setting").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.insert_text("retention")
    expect(page.locator(".setting")).to_have_count(1)
    page.reload()
    expect(page.locator(".setting")).to_have_count(1)
    page.get_by_role("textbox", name="find a key").fill("no such key at all")
    expect(page.get_by_text("No key matches.")).to_be_visible()
    page.get_by_role("textbox", name="find a key").fill("")
    page.get_by_role("button", name="set by you").click()
    keys = page.locator(".setting .setting-key")
    expect(keys.filter(has_text="retention_days")).to_be_visible()
    expect(keys.filter(has_text="sql_rows")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_in_the_way_of_other_eyes_and_hands(page: Page, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto("/settings")
    expect(page.locator(".setting").nth(3)).to_be_visible()
    assert serious(page) == []
