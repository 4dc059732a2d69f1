"""A Synapse with keys and sockets, and the keys of its users, made as `cosmo keys` makes them."""

from cosmonapse import SynapseServer, key_ring, synapse_from_url
from cosmonapse.key_ring import Member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair


class KeyedSynapse:
    """A `SynapseServer` with keys.

    Args:
        folder: A path for the folder of its keys; it is made.
        rights: By the name of a user, its rights.
        settings: Other settings of the server.

    Attributes:
        server: It runs.
        keys: By the name of a user, its key.
    """

    def __init__(self, folder, rights, **settings):
        self._folder, pair = str(folder), new_pair()
        key_ring.make_folder(self._folder, *pair)
        self._synapse_key = pair[0]
        self.keys = {}
        self._write(rights)
        self.server = SynapseServer(port=0, keys=self._folder, **settings)
        self.server.start()

    def _write(self, rights):
        for user, words in rights.items():
            if user not in self.keys:
                self.keys[user] = Key(user, *new_pair(), (self._synapse_key,))
            public = self.keys[user].public
            member = Member(user, (public,), None, Rights.of(words))
            key_ring.write_member(self._folder, member)

    def as_user(self, user):
        """Return the Synapse as one of its users connects to it."""
        return synapse_from_url(self.server.url, key=self.keys[user])

    def use_rights(self, rights):
        """Give the users other rights; one that is missing is revoked."""
        for gone in set(self.keys) - set(rights):
            key_ring.remove_member(self._folder, gone)
        self._write(rights)
        self.server.reload_keys()

    @property
    def counts(self):
        """The counters of the Synapse."""
        return self.server.counts

    def close(self):
        """End it."""
        self.server.stop()
