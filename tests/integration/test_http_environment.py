"""The HTTP environment of provider Neurons: certificates, proxies, and the lists beside them."""

import asyncio
import os
import socket
import sys

import pytest
import pytest_asyncio

from cosmonapse import NeuronError
from cosmonapse.neurons import Neuron
from cosmonapse.testing import ChatServer

QUESTION = {"prompt": "What is a Dendrite?"}
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for name in (*VARIABLES, *map(str.lower, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with ChatServer() as running:
        yield running


@pytest_asyncio.fixture
async def neuron_for():
    built = []

    def build(endpoint="https://api.example", **settings):
        settings = {"api_key": "sk-secret", "timeout_s": 5.0, "stream": False, **settings}
        built.append(Neuron(source="openai", model="m", endpoint=endpoint, **settings))
        return built[-1]

    yield build
    for neuron in built:
        await neuron.aclose()


@pytest.fixture
def dead_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:1080", "its scheme is unknown; write http://host:port"),
        ("all_proxy", "socks://127.0.0.1:1080", "its scheme is unknown"),
        ("HTTP_PROXY", "http://host:port", "Invalid port: 'port'"),
        ("HTTPS_PROXY", "ftp://host", "its scheme is unknown"),
        ("HTTPS_PROXY", "http://", "it names no host"),
        ("NO_PROXY", "localhost,[::1]", "list hosts and domains"),
        ("NO_PROXY", "fe80::/10", "list hosts and domains"),
        ("no_proxy", "host:port", "list hosts and domains"),
    ],
)
async def test_a_proxy_setting_that_cannot_be_read_is_named_at_once(
    neuron_for, monkeypatch, variable, value, says
):
    monkeypatch.setenv(variable, value)

    with pytest.raises(ValueError, match="environment variable") as caught:
        neuron_for()

    assert f"{variable}={value} cannot be used" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.asyncio
async def test_a_socks_proxy_without_its_package_names_what_to_install(neuron_for, monkeypatch):
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")

    with pytest.raises(ValueError, match=r"ALL_PROXY=.*pip install 'httpx\[socks\]'"):
        neuron_for()


@pytest.mark.asyncio
async def test_no_message_shows_the_password_of_a_proxy(neuron_for, monkeypatch, dead_port):
    monkeypatch.setenv("ALL_PROXY", "socks://ann:sesame@127.0.0.1:1080")
    with pytest.raises(ValueError, match="ALL_PROXY") as unreadable:
        neuron_for()
    monkeypatch.setenv("ALL_PROXY", f"http://ann:sesame@127.0.0.1:{dead_port}")
    with pytest.raises(NeuronError) as dead:
        await neuron_for("http://provider.example")(QUESTION, None)

    assert "sesame" not in f"{unreadable.value} {dead.value}"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("variable", "says"),
    [("SSL_CERT_FILE", "FileNotFoundError"), ("SSL_CERT_DIR", "no such directory")],
)
async def test_stale_certificates_are_named_at_once(
    neuron_for, monkeypatch, tmp_path, variable, says
):
    monkeypatch.setenv(variable, str(tmp_path / "gone"))

    with pytest.raises(ValueError, match=rf"environment variable {variable}=.*{says}"):
        neuron_for()


@pytest.mark.asyncio
async def test_a_file_without_certificates_is_named_at_once(neuron_for, monkeypatch, tmp_path):
    path = tmp_path / "certificates.pem"
    path.write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    with pytest.raises(ValueError, match=r"SSL_CERT_FILE=.*SSLError.*name a file"):
        neuron_for()


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["http://provider.example", "https://provider.example"])
async def test_a_dead_proxy_is_called_proxy(neuron_for, monkeypatch, dead_port, url):
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{dead_port}")

    with pytest.raises(NeuronError) as caught:
        await neuron_for(url)(QUESTION, None)

    assert (caught.value.code, caught.value.recoverable) == ("PROVIDER_UNREACHABLE", True)
    proxy = f"through the proxy http://127.0.0.1:{dead_port} (ALL_PROXY): ConnectError"
    assert f"{url}/v1/chat/completions is unreachable {proxy}" in caught.value.message


@pytest.mark.asyncio
async def test_a_proxy_that_refuses_is_called_proxy(neuron_for, monkeypatch):
    with ChatServer("503") as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)

        with pytest.raises(NeuronError) as caught:
            await neuron_for("http://provider.example")(QUESTION, None)

    assert f"answered 503 through the proxy {proxy.url} (HTTP_PROXY):" in caught.value.message


@pytest.mark.asyncio
async def test_a_proxy_that_works_is_used_and_not_named(neuron_for, monkeypatch):
    with ChatServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)

        output = await neuron_for("http://provider.example")(QUESTION, None)

    assert output["response"] == "echo: What is a Dendrite?"
    assert proxy.requests[0].path == "http://provider.example/v1/chat/completions"


@pytest.mark.asyncio
async def test_a_host_that_needs_no_proxy_is_not_said_to_be_behind_one(
    neuron_for, monkeypatch, dead_port
):
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    with pytest.raises(NeuronError) as caught:
        await neuron_for(f"http://127.0.0.1:{dead_port}")(QUESTION, None)

    assert "proxy" not in caught.value.message


@pytest.mark.asyncio
async def test_what_changes_after_the_neuron_was_made_does_not_matter(
    server, neuron_for, monkeypatch
):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    neuron = neuron_for(server.url)
    monkeypatch.setenv("ALL_PROXY", "socks://127.0.0.1:1080")
    monkeypatch.delenv("NO_PROXY")

    output = await neuron(QUESTION, None)

    assert output["response"] == "echo: What is a Dendrite?"


@pytest.mark.asyncio
async def test_a_worker_with_a_bad_environment_ends_at_its_start_with_the_reason():
    program = "from cosmonapse import Neuron; Neuron(source='ollama', model='m')"
    environment = {**os.environ, "ALL_PROXY": "socks://127.0.0.1:1080"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stderr=asyncio.subprocess.PIPE
    )

    _, error = await process.communicate()

    assert process.returncode == 1
    last_line = error.decode().strip().splitlines()[-1]
    assert last_line.startswith("ValueError: the environment variable ALL_PROXY=socks://127.0.0.1")
