"""What the variables of OpenTelemetry ask for."""

import pytest

from cosmonapse.telemetry.otel_environment import exporters_asked_for, is_off

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
EITHER = ("otlp_proto_http", "otlp_proto_grpc")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, []),
        ({"OTEL_SERVICE_NAME": "x"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, []),
        (ENDPOINT, [EITHER]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, [EITHER]),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, [("console",), EITHER]),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, [("otlp_proto_grpc",)]),
        (
            {
                **ENDPOINT,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            [("otlp_proto_http",)],
        ),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, []),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, []),
    ],
)
def test_the_exporters_are_those_that_a_variable_names(environ, expected):
    assert exporters_asked_for(environ) == expected


@pytest.mark.parametrize("value", ["cosmonapse", "flask,Cosmonapse", "*"])
def test_it_can_be_turned_off_where_a_program_has_set_up_opentelemetry(value):
    assert is_off({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": value})
    assert not is_off({"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "cosmonapse2"})
