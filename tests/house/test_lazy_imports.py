"""Optional things load on use: neither `import cosmonapse` nor `cosmo --help` pays for them."""

import subprocess
import sys

import pytest

from house import source

LOADED_ON_USE = {
    *("fastapi", "flask", "httpx", "rich", "starlette", "uvicorn", "uvloop", "werkzeug"),
    "opentelemetry",
    *("prometheus_client", "zeroconf"),
    *("jsonschema", "mcp", "mcp_types", "msgspec", "pydantic"),
    *("a2a", "anyio", "google", "httpx2", "openai", "sqlite3"),
}
IMPORT = "import cosmonapse"
DENDRITE = """
import asyncio
from cosmonapse import Axon, Dendrite, connect_synapse

async def main():
    dendrite = Dendrite(synapse=await connect_synapse("memory://lazy"), dendrite_id="lazy")
    dendrite.attach_axon(Axon(neuron_id="plain", neuron_fn=lambda input, context: {}))
    async with dendrite:
        await dendrite.ask(neuron="plain", input={})

asyncio.run(main())
"""
HELP = """
import sys
from cosmonapse.cli import main
sys.argv = ["cosmo", "--help"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(program: str) -> set[str]:
    """Run `program` in a fresh interpreter and return the root names of the modules it loaded."""
    tail = '\nimport sys\nprint("\\nloaded:", *{name.split(".")[0] for name in sys.modules})'
    command = [sys.executable, "-c", program + tail]
    ended = subprocess.run(
        command, cwd=source.ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.splitlines()[-1].removeprefix("loaded:").split())


SYNAPSE = "import cosmonapse.cli.synapse, zmq_transport; zmq_transport.Proxy"


def test_the_synapse_needs_no_asyncio():
    loaded = loaded_by(SYNAPSE)

    assert {"zmq", "zmq_transport"} <= loaded
    assert not loaded & {"asyncio", "ssl", "tenacity"}


@pytest.mark.parametrize("package", ["cosmonapse", "cosmonapse.synapse", "zmq_transport"])
def test_every_name_that_is_loaded_on_use_is_there_and_no_other(package):
    program = f"""
import {package} as package
for name in package.__all__:
    getattr(package, name)
assert set(package.__all__) <= set(dir(package))
assert not hasattr(package, "nobody")
"""

    assert loaded_by(program)


@pytest.mark.parametrize("program", [IMPORT, HELP, DENDRITE], ids=["import", "help", "dendrite"])
def test_optional_packages_load_on_use_only(program):
    loaded = loaded_by(program)

    assert "cosmonapse" in loaded
    assert not loaded & LOADED_ON_USE


def test_a_package_that_is_loaded_is_seen():
    loaded = loaded_by("import cosmonapse, httpx")

    assert loaded & LOADED_ON_USE == {"httpx"}
