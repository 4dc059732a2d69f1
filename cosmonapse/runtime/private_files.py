"""Files of keys: written so that nobody else can read or replace them, and refused otherwise.

The rules are those of ssh: a file with a secret is ours, has mode 0600, and stands in a folder in
which nobody else can replace it. Owner and mode are checked on the open file.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import stat
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import InvalidKey

_MAX_FILE_BYTES = 64 * 1024
_OTHERS_READ, _OTHERS_WRITE = 0o077, 0o022
_LENT_BAD = 0o037  # the group may read


@contextlib.contextmanager
def about_file(path: str) -> Iterator[None]:
    """Name the file in the errors about its contents.

    Raises:
        InvalidKey: As raised inside, with the file.
    """
    try:
        yield
    except InvalidKey as error:
        raise InvalidKey(path, f"{error.what}: {error.reason}") from None
    except ValueError as error:
        raise InvalidKey(path, str(error)) from None


def texts_of(values: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """Return the list of texts that a file has in a line; none without the line.

    Raises:
        InvalidKey: It is something else.
    """
    found = values.get(field, [])
    if isinstance(found, list) and all(isinstance(each, str) for each in found):
        return tuple(found)
    raise InvalidKey(f"the line {field!r}", 'it must be a list of texts, such as ["a", "b"]')


def toml_text(values: Mapping[str, str | Iterable[str]]) -> str:
    """Return values as TOML, one line each.

    The texts of JSON are texts of TOML too, if they are printable and nothing beyond ASCII is
    written as an escape: JSON has pairs of surrogates, TOML has none.
    """
    return "".join(f"{name} = {_toml_value(value)}\n" for name, value in values.items())


def _toml_value(value: str | Iterable[str]) -> str:
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False)


def read_private(path: str) -> dict[str, Any]:
    """Return the lines of a file with a secret, which nobody else may read or replace.

    Raises:
        InvalidKey: It is not there, is no such file, or others may read or replace it.
    """
    check_folder(os.path.dirname(os.path.abspath(path)), path)
    return _parsed(path, _content(path, is_private=True))


def read_secret(path: str) -> str:
    """Return the text of a file that is one secret, without the space around it.

    Raises:
        InvalidKey: It is not there, is no text, or others may read or replace it.
    """
    check_folder(os.path.dirname(os.path.abspath(path)), path)
    try:
        return _content(path, is_private=True).decode().strip()
    except UnicodeDecodeError:
        raise InvalidKey(path, "it is no text: it is no such file, or was cut") from None


def read_shown(path: str) -> dict[str, Any]:
    """Return the lines of a file without a secret, which nobody else may change.

    Raises:
        InvalidKey: It is not there, is no such file, or others may write it.
    """
    return _parsed(path, _content(path, is_private=False))


def check_folder(folder: str, what: str) -> None:
    """Check that nobody else may replace what is in a folder.

    A folder with the sticky bit, such as /tmp, passes: there nobody replaces another's file.

    Raises:
        InvalidKey: It is not there, is another user's, or others may write it.
    """
    try:
        facts = os.stat(folder)
    except OSError as error:
        raise InvalidKey(what, reason_of(error)) from None
    if not stat.S_ISDIR(facts.st_mode):
        raise InvalidKey(what, f"{folder} is no folder")
    if facts.st_uid not in (os.geteuid(), 0):
        raise InvalidKey(
            what,
            f"the folder {folder} is of another user (uid {facts.st_uid}), who could replace it: "
            f"use a folder of your own, or run: sudo chown {os.geteuid()} {shlex.quote(folder)}",
        )
    if facts.st_mode & _OTHERS_WRITE and not facts.st_mode & stat.S_ISVTX:
        raise InvalidKey(
            what,
            "others may write its folder, and so replace it: "
            f"run: chmod go-w {shlex.quote(folder)}",
        )


def _content(path: str, *, is_private: bool) -> bytes:
    """Return the content of a file, its owner and mode checked on the open file.

    Raises:
        InvalidKey: It cannot be read, or its owner or mode is wrong.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        is_link = os.path.islink(path)
        reason = f"it is a link: give the path of the file, {os.path.realpath(path)}"
        raise InvalidKey(path, reason if is_link else reason_of(error)) from None
    try:
        facts = os.fstat(descriptor)
        is_lent = is_private and _is_lent(path, facts)
        fault = "" if is_lent else _fault_of(facts, shlex.quote(path), is_private=is_private)
        content = b"" if fault else _read(descriptor)
    finally:
        os.close(descriptor)
    if fault:
        raise InvalidKey(path, fault)
    if len(content) > _MAX_FILE_BYTES:
        raise InvalidKey(path, f"it has over {_MAX_FILE_BYTES:,} bytes: it is no such file")
    return content


def _is_lent(path: str, facts: os.stat_result) -> bool:
    """Return whether a file is a credential of systemd: of root, lent to us by an access list.

    The mode shows that list as the rights of the group; nobody else is in the folder.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    is_there = bool(folder) and os.path.dirname(os.path.abspath(path)) == folder
    is_of_root = facts.st_uid in (0, os.geteuid())
    return is_there and is_of_root and stat.S_ISREG(facts.st_mode) and not facts.st_mode & _LENT_BAD


def _read(descriptor: int) -> bytes:
    """Return what is in an open file, and no more than shows that it is too long."""
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(_MAX_FILE_BYTES + 1)


def _fault_of(facts: os.stat_result, quoted: str, *, is_private: bool) -> str:
    """Return what is wrong with the owner or the mode of a file; empty for nothing."""
    if not stat.S_ISREG(facts.st_mode):
        return "it is no file"
    if facts.st_uid != os.geteuid() and (is_private or facts.st_uid != 0):
        return (
            f"it is of another user (uid {facts.st_uid}): copy it, "
            f"or run: sudo chown {os.geteuid()} {quoted}"
        )
    mode = f"(mode {facts.st_mode & 0o777:04o})"
    if is_private and facts.st_mode & _OTHERS_READ:
        return f"others may read or write it {mode}: run: chmod 600 {quoted}"
    if facts.st_mode & _OTHERS_WRITE:
        return f"others may write it {mode}: run: chmod go-w {quoted}"
    return ""


def _parsed(path: str, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise InvalidKey(path, "it is no text: it is no such file, or was cut") from None
    except (ValueError, RecursionError) as error:
        raise InvalidKey(path, f"it is not as it was written: {error}") from None


def write_new(path: str | os.PathLike[str], text: str, mode: int = 0o600) -> None:
    """Write a file that does not exist yet.

    Raises:
        InvalidKey: It exists already, or cannot be written.
    """
    named = os.fspath(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(named, flags, mode)
    except FileExistsError:
        raise InvalidKey(named, "it exists already: choose another file, or remove it") from None
    except FileNotFoundError:
        folder = os.path.dirname(os.path.abspath(named))
        raise InvalidKey(named, f"no such file can be made: there is no folder {folder}") from None
    except OSError as error:
        raise InvalidKey(named, reason_of(error)) from None
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, mode)  # whatever the umask took
            file.write(text)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        os.unlink(named)  # half a key is no key
        raise InvalidKey(named, reason_of(error)) from None


def replace(path: str, text: str, mode: int) -> None:
    """Write a file, or replace it, in one step: a reader sees the old one or the new one.

    Raises:
        InvalidKey: It cannot be written.
    """
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name}.{os.getpid()}.new")
    with contextlib.suppress(OSError):
        os.unlink(beside)  # of a process that was killed
    write_new(beside, text, mode)
    try:
        os.replace(beside, path)
    except OSError as error:
        os.unlink(beside)
        raise InvalidKey(path, reason_of(error)) from None


def reason_of(error: OSError) -> str:
    """Return why a file cannot be read, for people."""
    return "there is no such file" if isinstance(error, FileNotFoundError) else str(error.strerror)
