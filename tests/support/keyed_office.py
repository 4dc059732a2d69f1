"""A Synapse with keys in a thread of this process, whose users have a key each."""

import contextlib
import tempfile

from cosmonapse import SynapseServer, key_ring, synapse_from_url
from cosmonapse.key_ring import Member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair


class KeyedOffice:
    """What the shipped suite calls a Synapse of users; each user has one key.

    Args:
        folder: Where to make the folder of keys.
        rights: By user, the words of its rights.
    """

    def __init__(self, folder, rights):
        self._folder = f"{folder}/keys"
        pair = new_pair()
        self._public = pair[0]
        self._keys = {}
        self._listed = set()
        key_ring.make_folder(self._folder, *pair)
        self._list(rights)
        self.server = SynapseServer(port=0, keys=self._folder)

    def key_of(self, user):
        """Return the key of a user, listed or not."""
        if user not in self._keys:
            self._keys[user] = Key(user, *new_pair(), (self._public,), None)
        return self._keys[user]

    def _list(self, rights):
        for user, words in rights.items():
            member = Member(user, (self.key_of(user).public,), None, Rights.of(words))
            key_ring.write_member(self._folder, member)
        for user in self._listed - rights.keys():
            key_ring.remove_member(self._folder, user)
        self._listed = set(rights)

    def as_user(self, user):
        """Return where a user connects."""
        return synapse_from_url(self.server.url, key=self.key_of(user))

    def use_rights(self, rights):
        """Write the folder anew, and let the Synapse read it now."""
        self._list(rights)
        self.server.reload_keys()


@contextlib.contextmanager
def keyed_office(rights):
    """Run a Synapse with keys for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        office = KeyedOffice(folder, rights)
        with office.server:
            yield office
