"""The faces that `cosmo serve` may be told to serve: each one's module, and the extra it needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import attrs
import click

from ..runtime.extras import missing_extra


@attrs.frozen
class _FaceModule:
    """Where a face is, and what it needs.

    Args:
        name: Its module, below this package.
        class_name: Its class there.
        path: The first path that it serves, without a slash.
        package: The package that it needs.
        extra: The extra of this package that installs that.
    """

    name: str
    class_name: str
    path: str
    package: str
    extra: str


_FACES: Mapping[str, _FaceModule] = {
    "http": _FaceModule("serve.http_face", "HttpFace", "neurons", "starlette", "serve"),
    "openai": _FaceModule("serve.openai_face", "OpenAiFace", "v1", "starlette", "serve"),
    "mcp": _FaceModule("serve.mcp_face", "McpFace", "mcp", "mcp", "mcp"),
    "a2a": _FaceModule("serve.a2a_face", "A2aFace", "a2a", "a2a-sdk", "a2a"),
}
_PACKAGE = __package__.partition(".")[0]


def faces_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the faces that the parameters of the verb ask for.

    Args:
        given: `http`, `openai`, `mcp` and `a2a`; a face is asked for where its value is true.

    Raises:
        UsageError: None is asked for.
    """
    faces = tuple(name for name in _FACES if given[name])
    if not faces:
        raise click.UsageError("name what to serve: --http, --openai, --mcp or --a2a")
    return faces


def check_service(given: Mapping[str, Any]) -> None:
    """Check that a service can serve the faces that the parameters ask for, by loading each.

    Args:
        given: See `faces_of`.

    Raises:
        UsageError: None is asked for, or --mcp=stdio, which an MCP host starts by itself.
        MissingExtra: The packages of one are not installed.
    """
    if given["mcp"] == "stdio":
        raise click.UsageError("--mcp=stdio is no service: an MCP host starts it; name --mcp")
    for each in faces_of(given):
        loaded(each)


def loaded(face: str, name: str | None = None) -> Any:
    """Return the class of a face, or what its module has under another name.

    Raises:
        MissingExtra: The packages of the face are not installed.
    """
    known = _FACES[face]
    try:
        module = importlib.import_module(f"{_PACKAGE}.{known.name}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == _PACKAGE:
            raise  # a file of ours is not there, which no extra brings
        raise missing_extra(known.package, known.extra, error) from None
    return getattr(module, name or known.class_name)


def path_of(face: str) -> str:
    """Return the first path that a face serves, without a slash at its beginning."""
    return _FACES[face].path
