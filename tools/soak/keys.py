"""The keys of a soak: a folder for each Synapse, and a key file for each kind of client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cosmonapse.errors import InvalidKey
from cosmonapse.key_ring import Member, make_folder, write_member, write_peer
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.runtime.environment import KEY_VARIABLE
from cosmonapse.synapse.access import new_pair

from .processes import SoakError

_MAY: Mapping[str, Sequence[str]] = {
    "caller": ("dispatch",),
    "worker": ("serve", "dispatch"),  # a task may have a child
    "watcher": ("watch",),
}
_KEY_OF = {"extra": "worker", "runner": "worker", "prism": "watcher"}


class Keys:
    """Makes all keys of a run: each Synapse is a peer of the others, and lets all clients in.

    Args:
        folder: The folder of the run.
        synapses: Their names.

    Raises:
        SoakError: The keys cannot be written there.
    """

    def __init__(self, folder: Path, synapses: Sequence[str]) -> None:
        self._folder = folder
        try:
            self._make(synapses)
        except InvalidKey as error:
            raise SoakError(str(error)) from None

    def _make(self, synapses: Sequence[str]) -> None:
        pairs = {each: new_pair() for each in synapses}
        publics = {name: public for name, (public, _) in pairs.items()}
        for name, pair in pairs.items():
            make_folder(self.folder_of(name), *pair)
            for other, public in publics.items():
                if other != name:
                    write_peer(self.folder_of(name), f"peer-{other}", [public])
        for user, words in _MAY.items():
            public, secret = new_pair()
            Key(user, public, secret, tuple(publics.values())).write(self._file_of(user))
            for name in synapses:
                member = Member(user, (public,), None, Rights.of(words))
                write_member(self.folder_of(name), member)

    def folder_of(self, synapse: str) -> str:
        """Return the folder that a Synapse starts with."""
        return str(self._folder / f"{synapse}-keys")

    def variables_of(self, name: str) -> Mapping[str, str]:
        """Return the variables of the environment that give a client its key; none for others."""
        kind = name.partition("-")[0]
        user = _KEY_OF.get(kind, kind)
        return {KEY_VARIABLE: str(self._file_of(user))} if user in _MAY else {}

    def _file_of(self, user: str) -> Path:
        return self._folder / f"{user}.key"
