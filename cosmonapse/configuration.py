"""Where every setting of a program comes from. Page: docs/configuration.md.

One order for all: an argument, a variable of the environment, the context, the file of the key,
the default. The first that says something counts. A context says no carrier and no credentials of
NATS; the file of a key says a URL and nothing else.

How a process shows itself is no question of the fabric: an argument says it, or a variable.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Self

import attrs

from .contexts import CONTEXT_FIELDS, NO_CONTEXT, Context, checked_context_name
from .contexts import Contexts as Contexts
from .defaults import DEFAULT_NAMESPACE, DEFAULT_URL
from .errors import InvalidContext, InvalidKey
from .keys import Key
from .names import checked_name
from .runtime.environment import (
    CARRIER_VARIABLE,
    CONTEXT_VARIABLE,
    CREDS_VARIABLE,
    KEY_VARIABLE,
    LOG_FORMAT_VARIABLE,
    METRICS_VARIABLE,
    NAMESPACE_VARIABLE,
    PRISM_VARIABLE,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    value_of,
)

VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "url": URL_VARIABLE,
        "namespace": NAMESPACE_VARIABLE,
        "key": KEY_VARIABLE,
        "carrier": CARRIER_VARIABLE,
        "creds": CREDS_VARIABLE,
    }
)
"""The settings, each with its variable."""
PROCESS_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "log_format": LOG_FORMAT_VARIABLE,
        "metrics": METRICS_VARIABLE,
        "prism": PRISM_VARIABLE,
        "token": TOKEN_VARIABLE,
    }
)
"""The settings of a process by itself, each with its variable. By default they are None."""
_DEFAULTS: Mapping[str, str | None] = MappingProxyType(
    {
        "url": DEFAULT_URL,
        "namespace": DEFAULT_NAMESPACE,
        "key": None,
        "carrier": None,
        "creds": None,
    }
)

KeyLike = Key | str | os.PathLike[str]
"""A key, or the path of its file NAME.key."""


@attrs.frozen
class Source:
    """Where a value comes from.

    Args:
        kind: `argument`, `variable`, `context`, `key` or `default`; for the name of the context
            also `selected`.
        name: The name of the variable, of the context or of the key; else empty.
        file: The file of the contexts or of the key, where it is known; else empty.
    """

    kind: str
    name: str = ""
    file: str = ""

    def __str__(self) -> str:
        """Return it for people, such as `context office in FILE`."""
        where = f"in {self.file}" if self.file else ""
        return " ".join(filter(None, (self.kind, self.name, where)))

    @property
    def blame(self) -> str:
        """The end of the text of an error about the value; empty for an argument."""
        if self.kind in ("argument", "default"):
            return ""
        return f" (it is in {self.name if self.kind == 'variable' else f'the {self}'})"


_ARGUMENT, _DEFAULT = Source("argument"), Source("default")


@attrs.frozen
class Setting:
    """A value, and where it comes from."""

    value: Any
    source: Source

    @classmethod
    def of(cls, value: object, kind: str, name: str = "", file: str = "") -> Self:
        """Return a value with its source."""
        return cls(value, Source(kind, name, file))


def chosen(name: str, argument: object = None, *, key: KeyLike | None = None) -> Setting:
    """Return the value of a setting that counts.

    Nothing is looked at that does not count: with an argument no file is read.

    Args:
        name: `url`, `namespace`, `key` (the path of a file, or a `Key`), `carrier` or `creds`.
        argument: The value that the program gives; None if it gives none.
        key: For `url`: the key that the program gives, whose file may say one.

    Returns:
        The setting. By default key, credentials and carrier are None: none, that of the transport.

    Raises:
        InvalidContext: The context cannot be used.
        InvalidKey: The file of the key would have to say the URL, and cannot be used.
    """
    return next(candidates(name, argument, key=key))


def chosen_for_process(name: str, argument: str | None = None) -> Setting:
    """Return the value of a setting of this process that counts: an argument, else its variable.

    Args:
        name: A name in `PROCESS_VARIABLES`.
        argument: The value that the program gives; None if it gives none.
    """
    if argument is not None:
        return Setting(argument, _ARGUMENT)
    variable = PROCESS_VARIABLES[name]
    value = value_of(variable)
    return Setting(None, _DEFAULT) if value is None else Setting.of(value, "variable", variable)


def checked_namespace(setting: Setting) -> str:
    """Return the namespace of its setting.

    Raises:
        InvalidName: It is invalid; the text names the variable that it is in.
    """
    is_variable = setting.source.kind == "variable"
    return checked_name(setting.source.name if is_variable else "namespace", setting.value)


def candidates(
    name: str, argument: object = None, *, key: KeyLike | None = None
) -> Iterator[Setting]:
    """Yield every value that a setting is given, the one that counts first; see `chosen`."""
    if argument is not None:
        yield Setting(argument, _ARGUMENT)
    variable = VARIABLES[name]
    value = value_of(variable)
    if value is not None:
        yield Setting.of(value, "variable", variable)
    if name in CONTEXT_FIELDS:
        yield from _of_the_context(name)
    if name == "url":
        yield from _of_the_key(key)
    yield Setting(_DEFAULTS[name], _DEFAULT)


def _of_the_context(name: str) -> Iterator[Setting]:
    found = context_in_use()
    if found is None:
        return
    context, file = found
    value = context.key_path if name == "key" else getattr(context, name)
    if value is not None:
        yield Setting.of(value, "context", context.name, file)


def _of_the_key(argument: KeyLike | None) -> Iterator[Setting]:
    setting = chosen("key", argument)
    key = read_key(setting)
    if key is not None and key.url is not None:
        file = "" if isinstance(setting.value, Key) else os.fspath(setting.value)
        yield Setting.of(key.url, "key", key.name, file)


def named_context(argument: str | None = None) -> Setting:
    """Return the name of the context: the given one, that of COSMO_CONTEXT, the selected one.

    Returns:
        The name, None for none, and where it comes from.

    Raises:
        InvalidContext: The file of the contexts cannot be used.
    """
    return next(context_names(argument))


def context_names(argument: str | None = None) -> Iterator[Setting]:
    """Yield every name that the context is given, the one that counts first; None is for none.

    Raises:
        InvalidContext: The file of the contexts cannot be used.
    """
    if argument is not None:
        yield Setting(_name_or_none(argument), _ARGUMENT)
    value = value_of(CONTEXT_VARIABLE)
    if value is not None:
        yield Setting.of(_name_or_none(value), "variable", CONTEXT_VARIABLE)
    contexts = _read_contexts()
    if contexts.selected is not None:
        yield Setting.of(contexts.selected, "selected", file=contexts.file)
    yield Setting(None, _DEFAULT)


def _name_or_none(name: str) -> str | None:
    return None if name == NO_CONTEXT else name


def _read_contexts() -> Contexts:
    try:
        return Contexts.read()
    except InvalidContext as error:  # as under sudo, where the file is of another user
        hint = f"{CONTEXT_VARIABLE}={NO_CONTEXT} goes without contexts"
        raise InvalidContext(error.what, f"{error.reason}; {hint}") from None


def context_in_use() -> tuple[Context, str] | None:
    """Return the context that counts, and its file; None for none.

    Raises:
        InvalidContext: It cannot be used; the text names the cause and the remedy.
    """
    named = value_of(CONTEXT_VARIABLE)
    if named == NO_CONTEXT:
        return None
    contexts = _read_contexts()
    name = named or contexts.selected
    if name is None:
        return None
    try:
        return contexts.get(name), contexts.file
    except InvalidContext as error:
        blame = Source("variable", CONTEXT_VARIABLE).blame
        raise InvalidContext(error.what, error.reason + blame) from None


def check_given_context(name: str) -> None:
    """Check the name of a context that is given as an argument, before it counts.

    Raises:
        InvalidContext: It is no name, there is none of that name, or the file cannot be used.
    """
    if name != NO_CONTEXT:
        _read_contexts().get(checked_context_name(name))


def read_key(setting: Setting) -> Key | None:
    """Return the key of the setting `key`; None for none.

    Raises:
        InvalidKey: Its file cannot be used; the text names the cause and the remedy.
    """
    if setting.value is None or isinstance(setting.value, Key):
        return setting.value
    try:
        return Key.read(setting.value)
    except InvalidKey as error:
        raise InvalidKey(error.what, error.reason + setting.source.blame) from None
