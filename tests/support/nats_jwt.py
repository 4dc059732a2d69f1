"""Users by JWT, as `nsc` makes them: an operator, an account, and files of credentials."""

import base64
import json
import os
import time

import nkeys


class Pair:
    """A pair of keys; `kind` is a prefix of nkeys."""

    def __init__(self, kind):
        self.seed = nkeys.encode_seed(os.urandom(32), kind)
        self._keys = nkeys.from_seed(bytearray(self.seed))
        self.public = self._keys.public_key.decode()

    def signed(self, name, subject, **facts):
        """Return a JWT about the public key `subject`."""
        claims = {
            "jti": name,
            "iat": int(time.time()),
            "iss": self.public,
            "name": name,
            "sub": subject,
            "nats": {"version": 2, **facts},
        }
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_base64(json.dumps(each).encode()) for each in (head, claims))
        return f"{text}.{_base64(self._keys.sign(text.encode()))}"


class Operator:
    """An operator with one account.

    Attributes:
        conf: What the configuration of a nats-server says about it.
    """

    def __init__(self):
        own = Pair(nkeys.PREFIX_BYTE_OPERATOR)
        self._account = Pair(nkeys.PREFIX_BYTE_ACCOUNT)
        unlimited = ("subs", "data", "payload", "imports", "exports", "conn", "leaf")
        limits = {**dict.fromkeys(unlimited, -1), "wildcards": True}
        facts = {"type": "account", "limits": limits}
        account = own.signed("team", self._account.public, **facts)
        operator = own.signed("us", own.public, type="operator")
        self.conf = (
            f"operator: {operator}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self._account.public}: {account} }}\n"
        )

    def write_creds(self, path, name, rights):
        """Write the file of credentials of a user with these rights."""
        user = Pair(nkeys.PREFIX_BYTE_USER)
        facts = {
            "type": "user",
            **dict.fromkeys(("subs", "data", "payload"), -1),
            "pub": {"allow": list(rights.publish)},
            "sub": {"allow": list(rights.subscribe)},
        }
        token = self._account.signed(name, user.public, **facts)
        path.write_text(
            f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n"
            "------END USER NKEY SEED------\n"
        )


def _base64(content):
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
