"""Contexts: where a fabric is, under a name, in one file of a user. Page: docs/configuration.md.

    selected = "office"

    [contexts.office]
    url = "cosmo://10.0.0.5:7070"
    namespace = "team"
    key = "~/ben.key"

The file has no secret, but it names one and says where to connect: what others may write is
refused, as a file of a key is.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Self

import attrs

from .errors import InvalidContext, InvalidKey, InvalidName
from .names import checked_name
from .runtime.private_files import check_folder, read_shown, replace, toml_text

NO_CONTEXT: Final = "-"
"""What stands for none where the name of a context is expected."""
CONTEXT_FIELDS: Final = ("url", "namespace", "key")
_APP = "cosmonapse"
_FILE = "contexts.toml"
_LOCK = ".contexts.lock"
_SELECTED, _CONTEXTS = "selected", "contexts"
_CONTEXT_NAME = re.compile(r"[A-Za-z0-9]")
_HEADER = "# Written by 'cosmo context', which keeps no comments. All of it may be edited.\n"


def contexts_file() -> str:
    """Return the path of the file: `contexts.toml` in the folder of this user's settings.

    That is `click.get_app_dir("cosmonapse")`, without the time that loading click takes. As the
    standard of such folders says, an XDG_CONFIG_HOME that is empty or relative does not count.
    """
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or home
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Application Support")
    else:
        named = os.environ.get("XDG_CONFIG_HOME", "")
        base = named if os.path.isabs(named) else os.path.join(home, ".config")
    return os.path.join(base, _APP, _FILE)


@attrs.frozen
class Context:
    """What a context says.

    Args:
        name: Its name: as any other name, and its first character is a letter or a digit.
        url: The URL of a Synapse, or None.
        namespace: The namespace, or None.
        key: The path of a file NAME.key, absolute or beginning with `~/`, or None.

    Raises:
        InvalidContext: One of them is invalid. Whether the URL names an endpoint shows its use.
    """

    name: str
    url: str | None = None
    namespace: str | None = None
    key: str | None = None

    def __attrs_post_init__(self) -> None:
        checked_context_name(self.name)
        for field in CONTEXT_FIELDS:
            fault = _fault_of(field, getattr(self, field))
            if fault:
                raise InvalidContext(f"the context {self.name!r}", fault)

    @property
    def key_path(self) -> str | None:
        """The path of the key, with the folder of this user in place of `~`."""
        return None if self.key is None else os.path.expanduser(self.key)


def checked_context_name(name: object) -> str:
    """Return a valid name of a context.

    Raises:
        InvalidContext: It is none.
    """
    try:
        checked = checked_name("it", name)
    except InvalidName as error:
        raise InvalidContext(f"the name {name!r:.200} of a context", str(error)) from None
    if not _CONTEXT_NAME.match(checked):
        raise InvalidContext(f"the name {name!r}", "begin it with a letter or a digit")
    return checked


def _fault_of(field: str, value: object) -> str:
    """Return what is wrong with a value, and how to write it; empty for a valid one."""
    if value is None:
        return ""
    if not isinstance(value, str) or not value or not value.isprintable():
        found = f"{value!r:.100}" if isinstance(value, str) else f"of type {type(value).__name__}"
        return f"{field} must be a text that can be printed, such as {_example(field)}, not {found}"
    if field == "namespace":
        with contextlib.suppress(InvalidName):
            checked_name(field, value)
            return ""
        return str(InvalidName(field, value))
    if field == "key" and not (os.path.isabs(value) or value.startswith("~/")):
        return f"key must be a whole path, such as {_example(field)}, not {value!r:.200}"
    return ""


def _example(field: str) -> str:
    return {"url": '"cosmo://host:7070"', "namespace": '"team"'}.get(field, '"~/ben.key"')


@attrs.frozen
class Contexts:
    """What the file says.

    Args:
        file: The path of the file; it may not be there yet.
        known: The contexts by name.
        selected: The name of the one that counts unless another one is named; None for none.
    """

    file: str
    known: Mapping[str, Context] = attrs.field(factory=dict)
    selected: str | None = None

    @classmethod
    def read(cls, file: str | None = None) -> Self:
        """Return what the file says; nothing if there is none, or none can be seen there.

        Raises:
            InvalidContext: Others may change it, or it is not as it should be; the text names the
                file, the fault, and what to do.
        """
        path = contexts_file() if file is None else file
        # Relative: this user has no home, and the folder that one is in says nothing.
        if not os.path.isabs(path) or not os.path.lexists(path):
            return cls(path)
        if os.path.islink(path):
            raise InvalidContext(path, "it is a link: put the file itself there")
        try:
            check_folder(os.path.dirname(path), path)
            values = read_shown(path)
        except InvalidKey as error:
            raise InvalidContext(path, error.reason) from None
        return cls(path, *_parts_of(path, values))

    @classmethod
    def change(cls, by: Callable[[Self], Self], file: str | None = None) -> Self:
        """Change the file in one step, and return what it says then.

        Changes at the same time follow each other; a reader sees the old file or the new one.

        Args:
            by: Called with what the file says; returns what it shall say.
            file: The path of the file; by default the one of this user.

        Raises:
            InvalidContext: The file cannot be read or written.
        """
        path = contexts_file() if file is None else file
        with _alone(path):
            changed = by(cls.read(path))
            try:
                replace(path, changed.text, 0o600)
            except InvalidKey as error:
                raise InvalidContext(path, error.reason) from None
        return changed

    def get(self, name: str) -> Context:
        """Return a context.

        Raises:
            InvalidContext: There is none of that name; the text names the one that was probably
                meant.
        """
        found = self.known.get(name)
        if found is not None:
            return found
        near = difflib.get_close_matches(name, self.known, 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise InvalidContext(
            f"the context {name!r:.200}",
            f"there is none in {self.file}: {guess}'cosmo context ls' shows those that are",
        )

    def having(self, context: Context) -> Self:
        """Return them with a context, in place of one of the same name."""
        return attrs.evolve(self, known={**self.known, context.name: context})

    def without(self, name: str) -> Self:
        """Return them without a context; none is selected if that one was.

        Raises:
            InvalidContext: There is none of that name.
        """
        gone = self.get(name).name
        left = {each: context for each, context in self.known.items() if each != gone}
        return attrs.evolve(
            self, known=left, selected=None if self.selected == gone else self.selected
        )

    def selecting(self, name: str | None) -> Self:
        """Return them with another one selected; None for none.

        Raises:
            InvalidContext: There is none of that name.
        """
        return attrs.evolve(self, selected=None if name is None else self.get(name).name)

    @property
    def text(self) -> str:
        """The content of the file."""
        parts = [_HEADER + toml_text({} if self.selected is None else {_SELECTED: self.selected})]
        for name, context in self.known.items():
            said = {each: getattr(context, each) for each in CONTEXT_FIELDS}
            written = toml_text({each: value for each, value in said.items() if value is not None})
            title = f'"{name}"' if "." in name else name
            parts.append(f"[{_CONTEXTS}.{title}]\n{written}")
        return "\n".join(parts)


def _parts_of(path: str, values: Mapping[str, Any]) -> tuple[dict[str, Context], str | None]:
    """Return the contexts and the selected one of a file.

    Raises:
        InvalidContext: A line is unknown or wrong.
    """
    _check_lines(path, "", values, (_SELECTED, _CONTEXTS))
    selected, tables = values.get(_SELECTED), values.get(_CONTEXTS, {})
    if not isinstance(tables, dict) or not all(isinstance(each, dict) for each in tables.values()):
        raise InvalidContext(path, "write each context as a table: [contexts.NAME]")
    known: dict[str, Context] = {}
    for name, table in tables.items():
        _check_lines(path, f"the context {name!r:.200}: ", table, CONTEXT_FIELDS)
        try:
            known[name] = Context(name, **table)
        except InvalidContext as error:
            raise InvalidContext(path, f"{error.what}: {error.reason}") from None
    if selected is not None and not (isinstance(selected, str) and selected in known):
        raise InvalidContext(
            path,
            f"selected is {selected!r:.200}, and there is no such context: run 'cosmo context "
            "select NAME', or 'cosmo context select -' for none",
        )
    return known, selected


def _check_lines(
    path: str, where: str, values: Mapping[str, object], known: tuple[str, ...]
) -> None:
    """Check the names of lines: a misspelled one must not pass for one that is absent.

    Raises:
        InvalidContext: One is unknown.
    """
    for each in values:
        if each not in known:
            near = difflib.get_close_matches(each, known, 1)
            guess = f"did you mean {near[0]!r}?" if near else f"those are {', '.join(known)}"
            raise InvalidContext(path, f"{where}there is no line {each!r:.100}: {guess}")


@contextlib.contextmanager
def _alone(path: str) -> Iterator[None]:
    """Make the folder of the file, and hold its lock.

    Raises:
        InvalidContext: The folder cannot be made, or the lock not be opened.
    """
    folder = os.path.dirname(path)
    if not os.path.isabs(path):
        raise InvalidContext(path, "this user has no home folder: set HOME")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        descriptor = os.open(os.path.join(folder, _LOCK), flags, 0o600)
    except OSError as error:
        raise InvalidContext(path, f"cannot write in {folder}: {error.strerror}") from None
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise InvalidContext(path, f"cannot lock {_LOCK}: {error.strerror}") from None
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Wait until no other process holds the lock; where the system has none, do not wait."""
    try:
        import fcntl
    except ImportError:
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
