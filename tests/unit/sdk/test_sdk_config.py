"""Arguments before our variables before OpenTelemetry's before defaults; mistakes are told, never raised."""

from __future__ import annotations

import pytest

from observatory.sdk.config import Config, read


def settings(env: dict[str, str] | None = None, **arguments: object) -> Config:
    config, mistakes = read(arguments, env or {})
    assert not mistakes
    return config


def test_defaults_send_to_an_observatory_on_this_machine() -> None:
    config = settings()
    assert (config.endpoint, config.api_endpoint) == ("http://localhost:4318", "http://localhost:4319")
    assert config.capture_content
    assert config.signals == ("traces", "logs", "metrics")


def test_arguments_win_over_ours_over_opentelemetry_s() -> None:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://otel:4318", "OTEL_SERVICE_NAME": "from-env"}
    assert settings(env).endpoint == "http://otel:4318"
    env["OBSERVATORY_ENDPOINT"] = "http://ours:4318"
    assert settings(env).endpoint == "http://ours:4318"
    assert settings(env, endpoint="http://argument:4318").endpoint == "http://argument:4318"
    assert settings(env, service_name="argument").service_name == "argument"
    assert settings(env).service_name == "from-env"


@pytest.mark.parametrize(
    ("endpoint", "compression"), [("http://127.0.0.1:4318", "none"), ("http://[::1]:4318", "none"), ("https://o.example.com", "gzip")]
)
def test_what_stays_on_this_machine_is_not_compressed_unless_it_is_said(endpoint: str, compression: str) -> None:
    assert settings(endpoint=endpoint).compression == compression
    assert settings({"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}, endpoint=endpoint).compression == "gzip"


@pytest.mark.parametrize(
    ("given", "endpoint", "api"),
    [
        ("http://host:4318/v1/traces", "http://host:4318", "http://host:4319"),
        ("host:4317", "http://host:4317", "http://host:4319"),
        ("https://observe.example.com/otlp/", "https://observe.example.com/otlp", "https://observe.example.com"),
        ("http://[::1]:4318", "http://[::1]:4318", "http://[::1]:4319"),
    ],
)
def test_an_endpoint_is_a_base_and_the_api_is_beside_it(given: str, endpoint: str, api: str) -> None:
    config = settings(endpoint=given)
    assert (config.endpoint, config.api_endpoint) == (endpoint, api)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"endpoint": "ftp://x"}, "init: endpoint: expected an http or https address, got 'ftp://x'"),
        ({"endpoint": "http://x:notaport"}, "init: endpoint"),
        ({"sample": 2}, "init: sample: expected a share from 0 to 1, got 2"),
        ({"capture_content": "perhaps"}, "init: capture_content: expected true or false, got 'perhaps'"),
        ({"redact": "no function"}, "init: redact: expected a function of key and text, got 'no function'"),
        ({"headers": "novalue"}, "init: headers: expected key=value,key=value, got 'novalue'"),
        ({"signals": ["spans"]}, "init: signals: expected some of traces, logs, metrics, got ['spans']"),
        ({"no_such": 1}, "init: unknown argument 'no_such'"),
    ],
)
def test_a_mistake_is_told_and_the_default_taken(arguments: dict[str, object], said: str) -> None:
    config, mistakes = read(arguments, {})
    assert len(mistakes) == 1
    assert mistakes[0].startswith(said)
    assert config == read({}, {})[0]


def test_a_mistake_in_an_argument_leaves_the_variable_in_force() -> None:
    config, mistakes = read({"sample": "many"}, {"OBSERVATORY_SAMPLE": "0.25"})
    assert config.sample == 0.25
    assert len(mistakes) == 1


def test_opentelemetry_s_variables_are_honoured() -> None:
    config = settings(
        {
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,team=a%20b",
            "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=acme",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_BSP_SCHEDULE_DELAY": "500",
            "OTEL_BSP_MAX_QUEUE_SIZE": "17",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "100",
            "OTEL_METRICS_EXPORTER": "none",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.5",
            "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "flask, redis",
        }
    )
    assert config.resource_attributes == {"deployment.environment.name": "prod", "team": "a b"}
    assert config.base_headers == {"x-tenant": "acme"}
    assert (config.protocol, config.timeout_s, config.delay_s, config.queue_items) == ("grpc", 2.5, 0.5, 17)
    assert (config.max_attribute_length, config.signals, config.sample) == (100, ("traces", "logs"), 0.5)
    assert config.exclude == ("flask", "redis")
    assert settings({"OTEL_SDK_DISABLED": "true"}).disabled
    assert settings({"OTEL_TRACES_SAMPLER": "always_off"}).sample == 0


def test_a_key_is_a_header_and_a_frozen_function_sends_before_it_freezes() -> None:
    config = settings(api_key="secret")
    assert config.base_headers == {"x-api-key": "secret"}
    assert "secret" not in repr(config)
    assert settings({"AWS_LAMBDA_FUNCTION_NAME": "f"}).serverless
    assert not settings({"AWS_LAMBDA_FUNCTION_NAME": "f"}, serverless=False).serverless
