"""Every setting with its sources, said in every combination."""

import itertools

from cosmonapse.contexts import Context, Contexts
from cosmonapse.keys import Key
from cosmonapse.synapse.access import new_pair

SOURCES = ("argument", "variable", "context", "key", "default")
SAYS = {
    "url": SOURCES,
    "namespace": ("argument", "variable", "context", "default"),
    "key": ("argument", "variable", "context", "default"),
    "carrier": ("argument", "variable", "default"),
    "creds": ("argument", "variable", "default"),
}
"""Each setting, and which sources can say it."""
VARIABLES = {
    "url": "COSMO_URL",
    "namespace": "COSMO_NAMESPACE",
    "key": "COSMO_KEY",
    "carrier": "COSMO_CARRIER",
    "creds": "COSMO_CREDS",
}
DEFAULTS = {
    "url": "cosmo://127.0.0.1:7070",
    "namespace": "default",
    "key": None,
    "carrier": None,
    "creds": None,
}
CASES = [
    (setting, frozenset(said))
    for setting, sources in SAYS.items()
    for size in range(len(sources))
    for said in itertools.combinations(sources[:-1], size)
]
"""Each setting, and which of its sources say it in a case."""


def write_key(folder, name, url=None):
    """Write NAME.key, once, and return its path."""
    path = folder / f"{name}.key"
    if not path.exists():
        public, secret = new_pair()
        Key(name, public, secret, (new_pair()[0],), url).write(path)
    return str(path)


def save(*contexts, selected=None, file=None):
    """Write the file of the contexts, by default that of this user."""

    def by(found):
        for each in contexts:
            found = found.having(each)
        return found.selecting(selected)

    Contexts.change(by, file)


class Told:
    """What the sources of a case say of a setting.

    Attributes:
        values: What each source says.
        variables: The variables of the environment that say it.
        contexts: The contexts to save; the first is to be selected.
        counts: The value of the setting that counts.
    """

    def __init__(self, setting, said, folder):
        self.values = {"default": DEFAULTS[setting]}
        self.values |= {each: self._value(setting, each, folder) for each in said}
        self.variables, self.contexts = {}, []
        if "variable" in said:
            self.variables = {VARIABLES[setting]: self.values["variable"]}
        fields = {setting: self.values["context"]} if "context" in said else {}
        if "key" in said:
            fields["key"] = write_key(folder, "says-url", self.values["key"])
        if fields:
            self.contexts = [Context("office", **fields)]
        self.order = [each for each in SAYS[setting] if each in self.values]
        self.counts = self.values[self.order[0]]

    @staticmethod
    def _value(setting, source, folder):
        match setting:
            case "key":
                return write_key(folder, f"by-{source}")
            case "carrier":
                return {"argument": "libzmq", "variable": "zmtp"}[source]
            case "url":
                return f"cosmo://{source}:1"
        return f"by-{source}"
