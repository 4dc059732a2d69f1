"""The faces of `cosmo serve`: what is missing is named with the extra that installs it."""

import pytest

from cosmonapse import MissingExtra
from cosmonapse.cli.gateway_faces import loaded


class WithoutModule:
    """Importlib, where one module is not there."""

    def __init__(self, name):
        self.name = name

    def import_module(self, whole):
        raise ModuleNotFoundError(f"No module named {self.name!r}", name=self.name)


@pytest.mark.parametrize(
    ("face", "module", "package", "extra"),
    [
        ("http", "starlette", "starlette", "serve"),
        ("openai", "starlette", "starlette", "serve"),
        ("mcp", "anyio", "mcp", "mcp"),
        ("a2a", "starlette", "a2a-sdk", "a2a"),
    ],
)
def test_each_face_names_its_own_package_and_its_extra(face, module, package, extra, monkeypatch):
    monkeypatch.setattr("cosmonapse.cli.gateway_faces.importlib", WithoutModule(module))

    with pytest.raises(MissingExtra) as raised:
        loaded(face)

    assert (raised.value.package, raised.value.extra) == (package, extra)


def test_a_module_of_ours_that_is_not_there_is_no_missing_extra(monkeypatch):
    monkeypatch.setattr(
        "cosmonapse.cli.gateway_faces.importlib", WithoutModule("cosmonapse.serve.x")
    )

    with pytest.raises(ModuleNotFoundError, match=r"cosmonapse\.serve\.x"):
        loaded("http")
