"""The OpenAPI document is true: what it allows, and much it does not, is sent to a running appliance; every answer must be as it says."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.checks import negative_data_rejection, positive_data_acceptance

from observatory.api.openapi import document
from observatory.app import Observatory
from observatory.settings import Settings
from observatory.testing.clients import HttpClient
from observatory.testing.spans import Maker


def settings_in(directory: Path) -> Settings:
    free = dict.fromkeys(("listen", "otlp_grpc", "otlp_http"), "127.0.0.1:0")
    limits = {"sql_deadline_s": 2, "sql_memory_bytes": 128 << 20}
    return Settings.model_validate({"server": {"data": directory / "data", **free}, "journal": {"reserve_bytes": 0}, "api": limits})


@pytest.fixture(scope="module")
def appliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an appliance that runs in a thread of its own and has a few traces and logs."""
    started: Future[str] = Future()
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()

    async def live() -> None:
        try:
            app = Observatory(settings_in(tmp_path_factory.mktemp("schema")))
            async with app, HttpClient(f"http://{app.addresses['listen']}") as http:
                make = Maker(11)
                for payload in (make.trace(service="shop"), make.trace(service="desk", error="no"), make.logs("one", "two")):
                    assert (await http.export(payload)).ok  # on the API's own port
                started.set_result(f"http://{app.addresses['listen']}")
                await stop.wait()
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise

    thread = threading.Thread(target=loop.run_until_complete, args=(live(),), daemon=True)
    thread.start()
    yield started.result(60)
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


# the tail never ends by itself; test_explore_api.py listens to it
schema = schemathesis.openapi.from_dict(document("test")).exclude(path="/api/v1/tail")


@schema.parametrize()
@settings(max_examples=20, deadline=None)
def test_every_answer_is_as_the_document_says(case: Case, appliance: str) -> None:
    # An id or a cursor that nobody stored, and text that is not SQL, are well-formed and still refused; a trailing blank is not.
    case.call_and_validate(base_url=appliance, excluded_checks=[positive_data_acceptance, negative_data_rejection])


def test_the_document_is_served(appliance: str) -> None:
    with urllib.request.urlopen(f"{appliance}/api/v1/openapi.json") as answer:
        said = json.load(answer)
    assert said == document(said["info"]["version"])
