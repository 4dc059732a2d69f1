"""A gateway as a real process, with the Neurons of a test in the process of the test.

@pytest.fixture(scope="module")
def gateway(url):
    with serving(url, Axon(neuron_id="echo", neuron_fn=echo), flags=["--http"]) as running:
        yield running
"""

import contextlib
import itertools

import attrs
import httpx

from cosmonapse import BlockingDendrite
from support.processes import Child, Children

TOKEN = "a-token-of-the-tests"
_TIMEOUT_S = 10.0
_numbers = itertools.count(1)


@attrs.frozen
class RunningGateway:
    """A gateway that answers.

    Args:
        base_url: Where it listens, without a slash at the end.
        process: `cosmo serve`.
        token: What it asks for; empty for none.
        dendrite: The one that hosts the Neurons, for further calls.
        namespace: Where both are.
        url: Of the Synapse.
    """

    base_url: str
    process: Child
    token: str
    dendrite: BlockingDendrite
    namespace: str
    url: str

    @property
    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def client(self, **settings):
        """Return an HTTP client with the token."""
        settings = {"timeout": _TIMEOUT_S, "trust_env": False, "headers": self.headers, **settings}
        return httpx.Client(base_url=self.base_url, **settings)

    def async_client(self, **settings):
        """Return one for asyncio."""
        settings = {"timeout": _TIMEOUT_S, "trust_env": False, "headers": self.headers, **settings}
        return httpx.AsyncClient(base_url=self.base_url, **settings)


@contextlib.contextmanager
def serving(url, *axons, flags=("--http",), token=TOKEN, namespace=None, env=None):
    """Run Neurons in this process, and `cosmo serve` with these flags beside it.

    Args:
        url: The Synapse.
        axons: The Neurons.
        flags: Of `cosmo serve`.
        token: What clients must send; empty for none.
        namespace: Where both are; one of its own by default.
        env: Added to the environment of the gateway.
    """
    namespace = namespace or f"gateway-{next(_numbers)}"
    hosting = BlockingDendrite(url, namespace=namespace, dendrite_id="hosting", axons=axons)
    with Children() as children, hosting as dendrite:
        process = start_gateway(children, url, namespace, *flags, token=token, env=env)
        base_url = base_url_of(process)
        process.line("  connected")
        yield RunningGateway(base_url, process, token, dendrite, namespace, url)


def start_gateway(children, url, namespace, *flags, token=TOKEN, env=None):
    """Start `cosmo serve` on a free port; it may not listen yet."""
    environment = {"COSMO_TOKEN": token, "NO_PROXY": "127.0.0.1", **(env or {})}
    command = ("serve", "--url", url, "-n", namespace, "--port", "0", *flags)
    return children.cosmo(*command, env=environment)


def base_url_of(process):
    """Return where a gateway listens, once it does."""
    line = process.line("Gateway of ").text
    return line.rpartition(" listening on ")[2]
