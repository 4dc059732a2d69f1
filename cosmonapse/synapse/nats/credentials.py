"""What a nats-server is shown, and by what it is known: passwords, files of NATS, certificates.

The files are those that the tools of NATS write. They are read once, to say at once what is wrong
with them; nats-py reads those with a secret anew at each connection.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import ssl
from typing import Any, Final, Self

import attrs

from ...runtime.extras import missing_extra
from ...runtime.private_files import reason_of
from .tls_proof import Handshake

MAX_FILE_BYTES: Final = 64 * 1024
_JWT = "-----BEGIN NATS USER JWT-----"
_SEED = "-----BEGIN USER NKEY SEED-----"
FILES: Final = ("creds", "nkey", "ca", "cert", "key")
"""The settings that name a file."""


@attrs.frozen(eq=False)
class Credentials:
    """What is shown to a nats-server.

    One of them counts: the file of credentials, else that of an nkey, else user and password, else
    the token.

    Args:
        user: Name of the user with a password.
        password: The password; None for none.
        token: The token; empty for none.
        creds: Path of a file of credentials; empty for none.
        nkey: Path of a file with the seed of an nkey; empty for none.
        ca: Path of the certificates that are trusted, in place of those of this machine.
        cert: Path of the certificate of this client.
        key: Path of the key of `cert`.
        tls_first: Whether the handshake of TLS comes before all else (nats-server 2.10.4).
        inbox_prefix: How the inboxes of nats-py begin; empty for its own default.
    """

    user: str = ""
    password: str | None = attrs.field(default=None, repr=False)
    token: str = attrs.field(default="", repr=False)
    creds: str = ""
    nkey: str = ""
    ca: str = ""
    cert: str = ""
    key: str = ""
    tls_first: bool = False
    inbox_prefix: str = ""

    def having(self, **files: str) -> Self:
        """Return them with other files; one with a secret counts in place of what was shown."""
        given: dict[str, Any] = {name: path for name, path in files.items() if path}
        if "creds" in given or "nkey" in given:
            nobody = {"user": "", "password": None, "token": "", "creds": "", "nkey": ""}
            given = nobody | given
        return attrs.evolve(self, **given)

    @property
    def identity(self) -> str:
        """What is shown, for people and without a secret; empty for nothing."""
        if self.creds:
            return f"the credentials in {self.creds}"
        if self.nkey:
            return f"the nkey in {self.nkey}"
        if self.password is not None:
            return f"the user {self.user}"
        return "the token in the URL or the context" if self.token else ""

    def named_user(self) -> str:
        """Return the name of the user as they show it; empty if they do not.

        Raises:
            MissingExtra: The package `nkeys` is not installed, and they need it.
            ValueError: A file cannot be used; the text names it and the fault.
        """
        if self.creds or self.nkey:
            if importlib.util.find_spec("nkeys") is None:
                raise missing_extra("nkeys", "nats")
            return _user_of_creds(self.creds) if self.creds else _checked_nkey(self.nkey)
        return self.user if self.password is not None else ""

    def tls(self, *, is_wanted: bool) -> ssl.SSLContext | None:
        """Return the context for TLS; None where nothing asks for it but perhaps the server.

        Raises:
            ValueError: A file of it cannot be used; the text names it and the fault.
        """
        if not (is_wanted or self.ca or self.cert or self.key or self.tls_first):
            return None
        if bool(self.cert) != bool(self.key):
            raise ValueError("cert and key belong together: name both, or none")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not self.ca:
            context.load_default_certs()
        else:
            _loaded(self.ca, lambda: context.load_verify_locations(self.ca))
        if self.cert:
            both = f"{self.cert} with the key {self.key}"
            _loaded(both, lambda: context.load_cert_chain(self.cert, self.key, _no_password))
        return context

    def options(self, context: ssl.SSLContext | None) -> dict[str, Any]:
        """Return the keyword arguments of `nats.aio.client.Client.connect` for one connection.

        Args:
            context: What `tls` returned.
        """
        made: dict[str, Any] = {}
        handshake = None if context is None else Handshake(context)
        if handshake is not None:
            made["tls"] = handshake
            if self.tls_first:
                made["tls_handshake_first"] = True
        if self.inbox_prefix:
            made["inbox_prefix"] = self.inbox_prefix
        return made | self._shown(handshake)

    def _shown(self, handshake: Handshake | None) -> dict[str, Any]:
        has_password = self.password is not None and not (self.creds or self.nkey)
        if has_password:
            secret = self.password if handshake is None else handshake.proven(self.password)
            return {"user": self.user, "password": secret}
        shown: dict[str, Any] = {}
        if self.creds:
            shown["user_credentials"] = self.creds
        elif self.nkey:
            shown["nkeys_seed"] = self.nkey
        token = self.token if not shown else ""
        if handshake is not None:
            # nats-py calls it whether there is a token or not, and before it says anything else.
            shown["token"] = handshake.proven(token or None)
        elif token:
            shown["token"] = token
        return shown


def whole_path(path: str) -> str:
    """Return the whole path of a file; `~` stands for the folder of this user."""
    return os.path.abspath(os.path.expanduser(path))


def read_text(path: str) -> str:
    """Return the text in a file of NATS.

    Raises:
        ValueError: It cannot be read, or is none; the text names it and the fault.
    """
    if "\n" in path or _JWT[5:-5] in path:
        raise ValueError("the content of a file was given in place of its path")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"{path} has over {MAX_FILE_BYTES:,} bytes: it is no such file")
        return content.decode()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {reason_of(error)}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text: it is no such file, or was cut") from None


def _user_of_creds(path: str) -> str:
    """Return the name in the JWT of a file of credentials.

    Raises:
        ValueError: It is no such file.
    """
    lines = [line.strip() for line in read_text(path).splitlines()]
    fault = f"{path} is no file of credentials as 'nsc generate creds' writes it"
    if _SEED not in lines[:-1] or _JWT not in lines[:-1]:
        raise ValueError(f"{fault}: a line {_JWT!r} or {_SEED!r} is missing")
    _check_seed(lines[lines.index(_SEED) + 1], path)
    try:
        claims = lines[lines.index(_JWT) + 1].split(".")[1]
        facts = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return str(facts.get("name", ""))
    except (ValueError, IndexError, AttributeError):
        raise ValueError(f"{fault}: its JWT cannot be read") from None


def _checked_nkey(path: str) -> str:
    """Check the file of an nkey, which names no user.

    Raises:
        ValueError: It is no such file.
    """
    _check_seed(read_text(path).strip(), path)
    return ""


def _check_seed(seed: str, path: str) -> None:
    """Check the seed of an nkey.

    Raises:
        ValueError: It is none.
    """
    import nkeys

    fault = f"{path} has no seed of the nkey of a user, which begins with SU"
    if not seed.startswith("SU"):
        raise ValueError(fault)
    try:
        nkeys.from_seed(bytearray(seed.encode())).wipe()
    except (nkeys.NkeysError, ValueError):
        raise ValueError(f"{fault}, or it was cut") from None


def _loaded(what: str, load: Any) -> None:
    """Load a part of the context for TLS.

    Raises:
        ValueError: It cannot be used; the text names the fault.
    """
    try:
        load()
    except ssl.SSLError as error:
        raise ValueError(f"cannot use {what}: {error.reason or 'it is no PEM file'}") from None
    except OSError as error:
        raise ValueError(f"cannot read {what}: {reason_of(error)}") from None


def _no_password() -> str:
    """Refuse a key with a passphrase, for which OpenSSL would ask at the terminal."""
    return ""
