"""The text of a systemd unit for a Synapse, a worker or a gateway. Page: docs/services.md. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

MARK: Final = "# Written by 'cosmo service install'; with --force it writes it anew."
WATCHDOG_S: Final = 30
START_S: Final = 300
FILES: Final = {"synapse": 262_144, "worker": 65_536, "gateway": 65_536}
# A fabric without a standby is dark until its Synapse is back. The tries last as long for both.
RESTART_S: Final = {"synapse": 1, "worker": 5, "gateway": 5}
MAX_RESTARTS: Final = {"synapse": 100, "worker": 20, "gateway": 20}
_CREDENTIAL: Final = "cosmonapse.key"
_TOKEN: Final = "cosmonapse.token"
# What needs no rights of the manager: a unit of a user has these alone.
_FOR_ALL: Final = (
    "NoNewPrivileges=yes",
    "LockPersonality=yes",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "UMask=0077",
)
_FOR_SYSTEM: Final = (
    "ProtectSystem=strict",
    "PrivateDevices=yes",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "RemoveIPC=yes",
    "SystemCallFilter=@system-service",
)


@attrs.frozen(kw_only=True)
class Unit:
    """A unit.

    Attributes:
        name: Its name, without `.service`.
        kind: `synapse`, `worker` or `gateway`.
        what: What it runs, for its description.
        command: The program and its arguments, without the key and the token.
        folder: Its working directory, a whole path.
        for_user: Whether it is for the manager of a user, in place of that of the system.
        run_as: The user that it runs as; None: the manager invents one, or it is the user's own.
        key: The whole path of the key; None for none.
        token: The whole path of the token of a gateway; None for none.
        reads_home: Whether something of it is in a home folder.
        reads_temporary: Whether something of it is in a folder for temporary files.
        writes: The folders that it must write to.
        low_port: Whether it listens on a port below 1024.
        reloads_keys: Whether SIGHUP makes it read its keys again.
        stop_s: How long its end may take.
        carrier: What COSMO_CARRIER says; None for nothing.
    """

    name: str
    kind: str
    what: str
    command: Sequence[str]
    folder: str
    for_user: bool = False
    run_as: str | None = None
    key: str | None = None
    token: str | None = None
    reads_home: bool = False
    reads_temporary: bool = False
    writes: Sequence[str] = ()
    low_port: bool = False
    reloads_keys: bool = False
    stop_s: float = 10
    carrier: str | None = None

    def text(self) -> str:
        """Return the unit.

        Raises:
            ValueError: A path or an argument has a character that no unit can have.
        """
        parts = {"Unit": self._unit(), "Service": self._service(), "Install": self._install()}
        return "\n".join(
            [MARK, *("\n".join((f"[{name}]", *lines, "")) for name, lines in parts.items())]
        )

    def _unit(self) -> Iterator[str]:
        yield f"Description=Cosmonapse {self.kind}: {value(self.what)}"
        if not self.for_user:
            yield "Wants=network-online.target"
            yield "After=network-online.target"
        yield "StartLimitIntervalSec=300"
        yield f"StartLimitBurst={MAX_RESTARTS[self.kind]}"

    def _service(self) -> Iterator[str]:
        yield "Type=notify"
        yield "NotifyAccess=main"
        yield f"WorkingDirectory={value(self.folder)}"
        yield f"ExecStart={' '.join(self._command())}"
        if self.reloads_keys:
            yield "ExecReload=/bin/kill -HUP $MAINPID"
        yield "Environment=PYTHONUNBUFFERED=1 COSMO_CONTEXT=-"
        if self.carrier is not None:
            yield f"Environment=COSMO_CARRIER={self.carrier}"
        yield from self._who()
        yield f"WatchdogSec={WATCHDOG_S}"
        yield "WatchdogSignal=SIGTERM"
        yield f"TimeoutStartSec={START_S}"
        yield f"TimeoutStopSec={self.stop_s:g}"
        yield "KillMode=mixed"
        yield "Restart=on-failure"
        yield f"RestartSec={RESTART_S[self.kind]}"
        yield "RestartPreventExitStatus=2"
        yield "SuccessExitStatus=130"
        yield f"LimitNOFILE={FILES[self.kind]}"
        yield from self._hardening()

    def _command(self) -> Iterator[str]:
        yield from map(word, self.command)
        for option, path, lent in self._secrets():
            yield option
            yield word(path) if self.for_user else f"%d/{lent}"

    def _secrets(self) -> Iterator[tuple[str, str, str]]:
        """Yield the option of each file with a secret, its path, and the name of its lent copy."""
        if self.key is not None:
            yield "--key", self.key, _CREDENTIAL
        if self.token is not None:
            yield "--token-file", self.token, _TOKEN

    def _who(self) -> Iterator[str]:
        if self.for_user:
            return
        yield "DynamicUser=yes" if self.run_as is None else f"User={value(self.run_as)}"
        yield f"StateDirectory={value(self.name)}"
        for _, path, lent in self._secrets():  # the manager reads it: the user need not
            yield f"LoadCredential={lent}:{value(path)}"

    def _hardening(self) -> Iterator[str]:
        yield from _FOR_ALL
        if self.kind == "synapse":  # a worker runs code of yours, which may compile some
            yield "MemoryDenyWriteExecute=yes"
        if self.for_user:
            return
        yield from _FOR_SYSTEM
        if not self.reads_temporary:
            yield "PrivateTmp=yes"
        yield f"ProtectHome={'read-only' if self.reads_home else 'yes'}"
        if self.low_port:
            yield "AmbientCapabilities=CAP_NET_BIND_SERVICE"
            yield "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"
        else:
            yield "CapabilityBoundingSet="
        for each in self.writes:
            yield f"ReadWritePaths={word(each)}"

    def _install(self) -> Iterator[str]:
        yield f"WantedBy={'default.target' if self.for_user else 'multi-user.target'}"


def value(text: str) -> str:
    """Return a text as the whole value of a line.

    Raises:
        ValueError: It has a line end or another character that cannot be printed.
    """
    if not text.isprintable():
        raise ValueError(f"a unit cannot have the text {text!r:.100}")
    return text.replace("%", "%%")


def word(text: str) -> str:
    r"""Return a text as one argument in a command: of %, $ and \ each means itself.

    Raises:
        ValueError: It has a line end or another character that cannot be printed.
    """
    safe = value(text).replace("\\", "\\\\").replace("$", "$$").replace('"', '\\"')
    plain = safe and not any(each in safe for each in " '\";\\")
    return safe if plain else f'"{safe}"'
