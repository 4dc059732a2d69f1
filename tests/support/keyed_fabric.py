"""A Synapse with keys in a process of its own, its folder, and the keys of those who may join."""

from cosmonapse import key_ring
from cosmonapse.key_ring import Member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair
from support.processes import free_ports


class KeyedFabric:
    """A folder of keys, and a Synapse that looks at it.

    Attributes:
        url: Where the Synapse is.
        folder: Its folder.
    """

    def __init__(self, children, tmp_path, **options):
        self._children = children
        self._options = options
        self._tmp_path = tmp_path
        self.port = free_ports()
        self.url = f"cosmo://127.0.0.1:{self.port}"
        self.folder, self.public = self.new_folder("keys")
        self._child = None

    def new_folder(self, name):
        """Make a folder with the pair of a Synapse; return it and the public key."""
        folder, pair = str(self._tmp_path / name), new_pair()
        key_ring.make_folder(folder, *pair)
        return folder, pair[0]

    def key(self, name, *synapses):
        """Return a new key of a name, for this Synapse or for others."""
        return Key(name, *new_pair(), synapses or (self.public,), self.url)

    def allow(self, *keys, may=("member",), folder=None):
        """Allow these keys, all of one name."""
        publics = tuple(each.public for each in keys)
        key_ring.write_member(
            folder or self.folder, Member(keys[0].name, publics, None, Rights.of(may))
        )

    def revoke(self, key):
        key_ring.remove_member(self.folder, key.name)

    def start(self, folder=None):
        """Start the Synapse, with keys."""
        self._start("--keys", folder or self.folder)

    def start_without_keys(self):
        self._start()

    def stop(self):
        self._child.kill()

    def _start(self, *options):
        given = ("--host", "127.0.0.1", "--port", self.port, *options)
        self._child = self._children.cosmo("synapse", "start", *given)
        self._child.line("Synapse listening on")
