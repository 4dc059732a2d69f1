"""From the arguments of `cosmo service install` to a unit; what cannot work is refused here."""

from __future__ import annotations

import ipaddress
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
import click

from ..configuration import chosen, chosen_for_process
from ..errors import without_secrets
from ..key_ring import default_folder
from ..keys import Key
from ..runtime.environment import CONTEXT_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE
from ..synapse.carriers import chosen_carrier
from ..synapse.secure_bind import check_bind
from ..worker_runner.load_check import MARK
from ..worker_runner.supervisor import KILL_AFTER_S
from .log_format import chosen_format
from .synapse_on_nats import check_options, check_url_of_unit, is_on_nats
from .unit_access import ENTER, READ, Account, check_keys, check_paths
from .unit_text import Unit
from .variables import in_the_environment

_LOAD_S = 60.0
_SPARE_S = 5.0
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # which PrivateTmp hides
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]+")


@attrs.frozen
class Asked:
    """What `cosmo service install` was given for the unit itself."""

    name: str | None
    for_user: bool
    run_as: str | None


def synapse_unit(arguments: Sequence[str], asked: Asked) -> Unit:
    """Return the unit of a Synapse.

    Raises:
        ClickException: It could not start so; one line says why.
        InsecureBind: It would let in everybody.
    """
    from .synapse import start

    given = _read("synapse start", start, arguments)
    if is_on_nats(given["store"]):
        check_url_of_unit(given["store"])
    if given["port"] == 0:
        raise click.UsageError("--port 0 takes another port at each start: name one")
    host = given["host"] or ("0.0.0.0" if given["lan"] else "127.0.0.1")
    check_bind(host.strip("[]"), has_keys=given["keys"] is not None, insecure=given["insecure"])
    keys = given["keys"]
    if keys is not None:
        keys = os.path.abspath(keys or default_folder())
        arguments = [*_without(arguments, "--keys"), f"--keys={keys}"]
    run_as = _user(asked)
    if run_as is None and keys is not None and not asked.for_user:
        raise click.UsageError(f"name the user of the folder {keys}: --as USER")
    arguments = [*_settings_of(given, arguments), *arguments]
    if not given["quiet"] and "--no-quiet" not in arguments:
        arguments = ["--quiet", *arguments]  # a line for each Signal would fill the journal
    ipc = given["ipc"]
    return _checked(
        Unit(
            name=_name(asked, "cosmo-synapse"),
            kind="synapse",
            what=given["store"] if is_on_nats(given["store"]) else f"{host}:{given['port']}",
            command=(*_program("synapse", "start"), *arguments),
            folder=os.getcwd(),
            for_user=asked.for_user,
            run_as=run_as,
            low_port=given["port"] < 1024,
            reloads_keys=keys is not None,
            writes=() if ipc is None else (os.path.dirname(os.path.abspath(ipc)),),
            carrier=_carrier(),
        ),
        keys,
    )


def worker_unit(arguments: Sequence[str], asked: Asked) -> Unit:
    """Return the unit of a worker.

    Raises:
        ClickException: It could not start so; one line says why.
    """
    from .worker import command

    given, rest, key = _on_fabric("worker", command, arguments)
    targets = given["targets"]
    _check_loads(targets)
    return _checked(
        Unit(
            name=_name(asked, f"cosmo-worker-{targets[0].partition(':')[0]}"),
            kind="worker",
            what=" ".join(targets),
            command=(*_program("worker"), *rest),
            folder=os.getcwd(),
            for_user=asked.for_user,
            run_as=_user(asked),
            key=key,
            stop_s=given["grace_s"] + KILL_AFTER_S + _SPARE_S,
            carrier=_carrier(),
        )
    )


def gateway_unit(arguments: Sequence[str], asked: Asked) -> Unit:
    """Return the unit of a gateway, which is `cosmo serve`.

    Raises:
        ClickException: It could not start so; one line says why.
        InvalidKey: The file of its token cannot be used.
        MissingExtra: The packages of what it is to speak are not installed.
    """
    from .gateway_faces import check_service, faces_of
    from .gateway_flags import check_flags, check_token, token_of
    from .serve import command

    given, rest, key = _on_fabric("serve", command, arguments)
    check_service(given)
    faces = faces_of(given)
    check_flags(faces, given)
    if given["port"] == 0:
        raise click.UsageError("--port 0 takes another port at each start: name one")
    path = given["token_file"]
    if path is None and chosen_for_process("token").value:
        raise click.UsageError(
            f"a unit does not see {TOKEN_VARIABLE}: write the token to a file of mode 0600, "
            "and name it: --token-file FILE"
        )
    host = given["host"]
    token = "" if path is None else token_of(path)
    check_token(host, given["origins"], token, is_beyond=_is_beyond_loopback(host))
    return _checked(
        Unit(
            name=_name(asked, "cosmo-gateway"),
            kind="gateway",
            what=f"{', '.join(faces)} at {host}:{given['port']}",
            command=(*_program("serve"), *_without(rest, "--token-file")),
            folder=os.getcwd(),
            for_user=asked.for_user,
            run_as=_user(asked),
            key=key,
            token=None if path is None else os.path.abspath(path),
            low_port=given["port"] < 1024,
            stop_s=given["grace_s"] + _SPARE_S,
            carrier=_carrier(),
        )
    )


def _is_beyond_loopback(host: str) -> bool:
    """Return whether an address is one for other machines; a name is looked up at the start."""
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _on_fabric(
    verb: str, command: click.Command, arguments: Sequence[str]
) -> tuple[dict[str, Any], list[str], str | None]:
    """Return what a verb understands, its arguments with URL and namespace, and its key's path.

    The key is no part of the arguments.

    Raises:
        UsageError: The key cannot be used.
    """
    key = _value_of(arguments, "--key")
    context = _value_of(arguments, "--context")
    rest = _without(_without(arguments, "--key"), "--context")
    with in_the_environment({} if context is None else {CONTEXT_VARIABLE: context}):
        key = chosen("key", key).value
        with in_the_environment({KEY_VARIABLE: ""}):
            given = _read(verb, command, rest)
        if key is not None:
            _check_key(os.path.abspath(key))
        if _value_of(rest, "--url") is None:
            found = None if key is None else Key.read(key).url
            rest = [*rest, "--url", found or given["url"]]
        if _value_of(rest, "--namespace", "-n") is None:
            rest = [*rest, "--namespace", given["namespace"]]
        rest = [*_settings_of(given, rest), *rest]
    return given, rest, None if key is None else os.path.abspath(key)


def _program(*verb: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "cosmonapse.cli", *verb)


def _read(path: str, command: click.Command, arguments: Sequence[str]) -> dict[str, Any]:
    """Return what the verb itself understands by these arguments."""
    with command.make_context(f"cosmo {path}", list(arguments)) as context:
        if "store" in context.params:
            check_options(context, context.params["store"])
        return {**context.params, "log_format": chosen_format(context)}


def _settings_of(given: dict[str, Any], arguments: Sequence[str]) -> list[str]:
    """Return the options for what a variable says: the unit does not see this environment."""
    found = []
    for name in ("metrics", "log_format"):
        option = f"--{name.replace('_', '-')}"
        if given[name] is not None and _value_of(arguments, option) is None:
            found.append(f"{option}={given[name]}")
    return found


def _carrier() -> str | None:
    """Return the carrier that the variable names: a worker has no option for it."""
    return None if chosen("carrier").value is None else chosen_carrier()


def _value_of(arguments: Sequence[str], *names: str) -> str | None:
    for place, each in enumerate(arguments):
        name, equals, value = each.partition("=")
        if name in names and equals:
            return value
        if each in names and place + 1 < len(arguments):
            return arguments[place + 1]
        if any(len(short) == 2 and each.startswith(short) and each != short for short in names):
            return each[2:]
    return None


def _without(arguments: Sequence[str], name: str) -> list[str]:
    """Return the arguments without an option and its value."""
    found: list[str] = []
    skips = False
    for each in arguments:
        if skips and not each.startswith("-"):
            skips = False
            continue
        skips = each == name
        if not skips and not each.startswith(f"{name}="):
            found.append(each)
    return found


def _name(asked: Asked, otherwise: str) -> str:
    name = (asked.name or otherwise).removesuffix(".service")
    if asked.name is not None and (not name or _NOT_IN_A_NAME.search(name)):
        raise click.UsageError(f"--name {asked.name!r:.80}: a unit has letters, digits and _.-")
    return _NOT_IN_A_NAME.sub("-", name)[:200]


def _user(asked: Asked) -> str | None:
    """Return whom the unit runs as; None lets the manager invent one."""
    if asked.run_as is not None:
        if asked.for_user:
            raise click.UsageError("--as is for units of the system: with --user it is you")
        try:
            return pwd.getpwnam(asked.run_as).pw_name
        except KeyError:
            raise click.UsageError(f"--as {asked.run_as!r:.80}: there is no such user") from None
    if asked.for_user:
        return None
    behind_sudo = os.environ.get("SUDO_USER")
    if behind_sudo and behind_sudo != "root":
        return behind_sudo
    return None if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def _check_loads(targets: Sequence[str]) -> None:
    """Check that a worker can load its targets from the current folder."""
    command = [sys.executable, "-m", "cosmonapse.worker_runner.load_check", *targets]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LOAD_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise click.ClickException(
            f"{' '.join(targets)} still loads after {_LOAD_S:g} s: put what serves below if "
            "__name__ == '__main__'"
        ) from None
    told = [each for each in ended.stdout.splitlines() if each.startswith(MARK)]
    if not told:
        raise click.ClickException(f"loading {' '.join(targets)} ends the process")
    reason = json.loads(told[-1].removeprefix(MARK)).get("reason")
    if reason is not None:
        raise click.UsageError(reason)


def _checked(unit: Unit, keys: str | None = None) -> Unit:
    """Return a unit that knows where its files are, once its user can read them there."""
    program = os.path.realpath(sys.executable)
    wanted = [
        (unit.folder, ENTER | READ),
        (sys.prefix, ENTER | READ),
        (sys.base_prefix, ENTER | READ),
        (sys.executable, ENTER),
        (program, ENTER),
    ]
    account = Account.own() if unit.for_user else Account.of(unit.run_as)
    if not unit.for_user:  # what this program runs from is open to whom it runs as
        check_paths(account, wanted)
    if keys is not None:
        check_keys(keys, account)
    paths = [unit.folder, sys.prefix, os.path.dirname(program), *([] if keys is None else [keys])]
    return attrs.evolve(
        unit, reads_home=_is_in(paths, _HOMES), reads_temporary=_is_in(paths, _TEMPORARY)
    )


def _is_in(paths: Iterable[str], folders: Sequence[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for path in paths for each in folders)


def _check_key(path: str) -> None:
    try:
        facts = os.stat(path)
    except OSError as error:
        raise click.UsageError(without_secrets(f"--key {path}: {error.strerror}")) from None
    if facts.st_mode & 0o077:
        raise click.UsageError(f"others may read or write {path}: run: chmod 600 {path}")
