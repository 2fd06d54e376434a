from __future__ import annotations

import pytest
from pydantic import SecretStr, ValidationError

from observatory.errors import Unauthenticated
from observatory.receivers.config import ReceiversConfig
from observatory.receivers.cors import Cors
from observatory.receivers.keys import Keys


def test_without_keys_anyone_may():
    Keys([]).check(None, None)


@pytest.mark.parametrize(
    ("authorization", "api_key"), [("Bearer one", None), ("bearer  one ", None), (None, "two"), ("Basic dTpw", "two"), ("Bearer two", "no")]
)
def test_a_known_key_may_in_either_header(authorization, api_key):
    Keys([SecretStr("one"), SecretStr("two")]).check(authorization, api_key)


@pytest.mark.parametrize(
    ("authorization", "api_key", "says"),
    [
        (None, None, "is needed"),
        ("Bearer three", None, "not known"),
        ("Bearer", None, "not known"),
        ("Basic one", None, "is needed"),
        (None, "", "not known"),
        (None, "\udcff", "not known"),
        ("Bearer three", "one", "not known"),  # a wrong bearer is not saved by the other header
    ],
)
def test_others_may_not(authorization, api_key, says):
    with pytest.raises(Unauthenticated, match=says):
        Keys([SecretStr("one")]).check(authorization, api_key)


def test_keys_are_not_shown_when_the_configuration_is():
    config = ReceiversConfig(api_keys=(SecretStr("sesame"),))
    assert "sesame" not in f"{config!r} {config.model_dump_json()}"


@pytest.mark.parametrize("bad", [{"api_keys": ["  "]}, {"max_in_flight_bytes": 2048, "max_request_bytes": 4096}, {"max_reqest_bytes": 1}])
def test_bad_configuration_is_refused(bad):
    with pytest.raises(ValidationError):
        ReceiversConfig.model_validate(bad)


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:5173",
        "https://localhost",
        "http://127.0.0.1:8000",
        "http://[::1]:3000",
        "http://app.localhost:3000",
        "https://app.example.com",
    ],
)
def test_pages_that_may_export(origin):
    cors = Cors(["https://app.example.com/"])
    assert cors.preflight(origin)["Access-Control-Allow-Origin"] == origin
    assert cors.headers(origin)["Vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://localhost.evil.example", "http://app.example.com", "null", "", "http://[::1", "localhost", None],
)
def test_pages_that_may_not(origin):
    cors = Cors(["https://app.example.com"])
    assert cors.preflight(origin) == {} == cors.headers(origin)
