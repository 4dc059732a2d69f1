"""What the variables of OpenTelemetry ask for, read without its packages. Pure.

Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
"""

from __future__ import annotations

from collections.abc import Mapping

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_INSTRUMENTATION = "cosmonapse"
_OTLP_OF_PROTOCOL: Mapping[str, tuple[str, ...]] = {
    "grpc": ("otlp_proto_grpc",),
    "http/protobuf": ("otlp_proto_http",),
    "": ("otlp_proto_http", "otlp_proto_grpc"),
}


def is_off(environ: Mapping[str, str]) -> bool:
    """Return whether the variables turn tracing off, also where a program has set it up."""
    disabled = environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").lower().split(",")
    return (
        environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        or _INSTRUMENTATION in map(str.strip, disabled)
        or "*" in map(str.strip, disabled)
    )


def exporters_asked_for(environ: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the exporters of spans that the variables ask for; empty for none.

    Returns:
        For each exporter its names as an entry point: the first that is installed is meant.
    """
    if is_off(environ):
        return []
    told = environ.get("OTEL_TRACES_EXPORTER", "")
    names = [name.strip().lower() for name in told.split(",") if name.strip()]
    if not names and any(environ.get(each, "").strip() for each in _ENDPOINTS):
        names = ["otlp"]
    if "none" in names:
        return []
    return [_entry_points_of(name, environ) for name in names]


def _entry_points_of(name: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    if name != "otlp":
        return (name,)
    protocol = next((told for each in _PROTOCOLS if (told := environ.get(each, "").strip())), "")
    return _OTLP_OF_PROTOCOL.get(protocol, _OTLP_OF_PROTOCOL[""])
