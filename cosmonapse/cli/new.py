"""`cosmo new`: a small project to begin with, whose test passes."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import click

from ..errors import InvalidName
from ..names import checked_name
from ..runtime.printable import printable
from .options import not_empty

_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "worker": (
            "pip install -r requirements.txt",
            "python -m pytest",
            "cosmo synapse start",
            "cosmo worker app --reload",
            'cosmo dispatch {name} "hello"',
        ),
        "flask": (
            "pip install -r requirements.txt",
            "python -m pytest",
            "cosmo synapse start",
            "cosmo worker neurons --reload",
            "flask --app app run",
        ),
        "fastapi": (
            "pip install -r requirements.txt",
            "python -m pytest",
            "cosmo synapse start",
            "cosmo worker neurons --reload",
            "uvicorn --factory app:create_app",
        ),
        "express": (
            "npm install",
            "npm test",
            "cosmo synapse start",
            "node worker.js",
            "node server.js",
        ),
    }
)
"""What to type in a new project, by its kind; the last three each in a terminal of its own."""
_CLIENT = Path(__file__).parents[2] / "clients" / "javascript"
_UNKNOWN_CLIENT = "PATH/OF/COSMONAPSE/clients/javascript"
_HIDDEN = "gitignore"


@click.command()
@click.argument("kind", type=click.Choice(list(_KINDS)))
@click.argument("path", metavar="DIR", type=click.Path(file_okay=False), callback=not_empty)
@click.option("--name", metavar="NAME", help="Name of the Neuron.  [default: that of the folder]")
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def command(kind: str, path: str, name: str | None, as_json: bool) -> None:
    """Write a small project into a new folder: code, a test that passes, a README.

    \b
    worker    a Neuron, for 'cosmo worker'
    flask     a Flask app in front of a Neuron
    fastapi   a FastAPI app in front of a Neuron
    express   an Express app and its Neuron, in JavaScript
    """
    folder = Path(path)
    name = _default_name(folder) if name is None else checked_name("name", name)
    _make(folder)
    files = _files(kind, name, folder)
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    commands = [
        f"cd {shlex.quote(str(folder))}",
        *(each.format(name=name) for each in _KINDS[kind]),
    ]
    if as_json:
        facts = {"folder": str(folder), "name": name, "files": sorted(files), "next": commands}
        click.echo(json.dumps(facts))
        return
    click.echo(f"{printable(str(folder))} has {', '.join(sorted(files))}")
    click.echo("next:")
    for each in commands:
        click.echo(f"  {printable(each)}")


def _make(folder: Path) -> None:
    """Make a folder, or use it if it is empty.

    Raises:
        UsageError: It cannot be made, or has something in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise click.UsageError(f"cannot make {folder}: {error.strerror}") from None
    if not is_empty:
        raise click.UsageError(f"{folder} is not empty: name a folder that is new or empty")


def _default_name(folder: Path) -> str:
    """Return the name of a folder as the name of a Neuron.

    Raises:
        InvalidName: Nothing of it can be used; the text says what to do.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).strip("-.")
    try:
        return checked_name("name", name)
    except InvalidName:
        raise click.UsageError(
            "the name of the folder is no name of a Neuron: add --name"
        ) from None


def _files(kind: str, name: str, folder: Path) -> dict[str, str]:
    """Return the texts of a project, by file name."""
    client = os.path.relpath(_CLIENT, folder.resolve()) if _CLIENT.is_dir() else _UNKNOWN_CLIENT
    package = re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-") or "app"
    words = {"{{name}}": name, "{{package}}": package, "{{client}}": client}
    files = {}
    for template in (resources.files(__package__) / "starters" / kind).iterdir():
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        file = template.name.removesuffix(".txt")
        files[f".{file}" if file == _HIDDEN else file] = text
    return files
