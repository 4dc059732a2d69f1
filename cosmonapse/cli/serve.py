"""`cosmo serve`: the Neurons of a fabric over HTTP, OpenAI's API, MCP and A2A."""

from __future__ import annotations

import importlib
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

import attrs
import click

from .. import __version__
from ..configuration import chosen_for_process
from ..errors import MissingExtra
from ..keys import Key
from ..prism.home import LOOPBACK, Home
from ..prism.listening import listening
from ..runtime.environment import TOKEN_VARIABLE
from ..runtime.loops import run
from ..runtime.printable import printable
from ..runtime.private_files import read_secret
from ..synapse.url import masked
from .fabric import fabric_options
from .log_format import begin_logs, log_format_option, tell
from .metrics import metrics_option, served
from .options import TIMEOUT_S, grace_option, no_nan
from .std_streams import complain

if TYPE_CHECKING:
    from ..exposition.gateway_source import GatewaySource
    from ..serve.gateway import Gateway, GatewaySettings
    from ..telemetry.service_reporter import ServiceReporter

DEFAULT_PORT = 8080
_FACES = {
    "http": ("serve.http_face", "HttpFace", "neurons", "starlette", "serve"),
    "openai": ("serve.openai_face", "OpenAiFace", "v1", "starlette", "serve"),
    "mcp": ("serve.mcp_face", "McpFace", "mcp", "mcp", "mcp"),
    "a2a": ("serve.a2a_face", "A2aFace", "a2a", "a2a-sdk", "a2a"),
}
"""Each face: its module, class, first path, the package that it needs, and the extra with that."""
_OWN_FLAGS = {"tools": ("--tools", "mcp"), "a2a_agent": ("--a2a-agent", "a2a")}
"""Settings of one face: the flag, and the face."""
_NOT_ENCRYPTED = (
    "HTTP is not encrypted: on a network that you trust alone, or behind a proxy with TLS"
)
_WAITING = (
    "cosmo serve: no Synapse answers at {url} yet, and requests get 503 until one does: start one, "
    "or check the URL"
)
_ENDING = (
    "cosmo serve: ending: streams end now, plain calls within {grace_s:g} s ({count} under way; "
    "a second signal ends them at once)"
)


@attrs.frozen(kw_only=True)
class Asked:
    """What the verb was given."""

    faces: tuple[str, ...]
    a2a_agent: str | None
    url: str
    key: Key | None
    namespace: str
    host: str
    port: int
    token: str = attrs.field(repr=False)
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    base_url: str | None
    timeout_s: float
    grace_s: float
    metrics: str | None
    tools: tuple[str, ...]


_tools_option = click.option(
    "--tools",
    metavar="PATTERN",
    multiple=True,
    help="Which Neurons are tools of MCP, such as 'fs.*'; repeatable; by default all with a card.",
)

_a2a_agent_option = click.option(
    "--a2a-agent",
    metavar="NEURON",
    help="The agent of A2A whose card is at the root of the gateway too.",
)


@click.command()
@fabric_options
@click.option("--http", is_flag=True, help="Plain HTTP: /neurons, /openapi.json and more.")
@click.option("--openai", is_flag=True, help="OpenAI's API: /v1/models, /v1/chat/completions.")
@click.option(
    "--mcp",
    is_flag=False,
    flag_value="http",
    type=click.Choice(["http", "stdio"]),
    help="Tools of MCP: at /mcp; --mcp=stdio alone, as an MCP host starts it.",
)
@_tools_option
@click.option("--a2a", is_flag=True, help="Agents of A2A: /a2a/NEURON.")
@_a2a_agent_option
@click.option("--host", default=LOOPBACK, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0: any free one.",
)
@click.option(
    "--token-file",
    metavar="FILE",
    help="A file of mode 0600 with the token that clients must send; or COSMO_TOKEN.",
)
@click.option(
    "--allow-host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which clients reach it, such as that of a proxy; repeatable.",
)
@click.option(
    "--cors",
    "origins",
    metavar="ORIGIN",
    multiple=True,
    help="An origin whose pages may use it, such as http://localhost:3000; repeatable.",
)
@click.option("--base-url", metavar="URL", help="Where clients reach it, if behind a proxy.")
@click.option(
    "--timeout",
    "timeout_s",
    type=TIMEOUT_S,
    callback=no_nan,
    default=120.0,
    show_default=True,
    help="Seconds that a task may take, if its client names no time.",
)
@grace_option("Seconds that plain calls may take after SIGTERM; streams end at once.")
@log_format_option
@metrics_option
def command(
    http: bool,
    openai: bool,
    mcp: str | None,
    a2a: bool,
    token_file: str | None,
    **given: Any,
) -> int:
    """Serve the Neurons of a namespace to what the world already speaks, until Ctrl-C or SIGTERM.

    Name at least one of --http, --openai, --mcp and --a2a. Needs the extra [serve]; --mcp needs
    [mcp], and --a2a [a2a]. Beyond loopback it needs a token. For example:
    cosmo serve --http --openai
    """
    faces = faces_of({"http": http, "openai": openai, "mcp": mcp, "a2a": a2a})
    _check_flags(faces, given)
    asked = Asked(faces=faces, token=token_of(token_file), **given)
    if mcp == "stdio":
        return _serve_stdio(asked)
    return _serve(asked)


def _check_flags(faces: tuple[str, ...], given: dict[str, Any]) -> None:
    """Check what would otherwise have no effect.

    Raises:
        UsageError: A flag of a face that is not served, or what is no origin, URL or name.
    """
    for setting, (flag, face) in _OWN_FLAGS.items():
        if given[setting] and face not in faces:
            raise click.UsageError(f"{flag} is for --{face}: add --{face}, or leave {flag} out")
    for origin in given["origins"]:
        if origin not in ("*", "null") and not _is_origin(origin):
            raise click.UsageError(
                f"--cors {origin}: an origin is a scheme and a host, with its port if it has one, "
                "and no path, such as http://localhost:3000"
            )
    for name in given["hosts"]:
        if not name or set(name) & set("/@?# ") or (":" in name and name[0] != "["):
            raise click.UsageError(
                f"--allow-host {name}: give the name alone, without a port, such as agents.example"
            )
    base_url = given["base_url"]
    if base_url is not None and _web_parts(base_url).scheme not in ("http", "https"):
        raise click.UsageError(
            f"--base-url {base_url}: give http:// or https:// and what follows, such as "
            "https://agents.example"
        )


def _is_origin(text: str) -> bool:
    parts = _web_parts(text)
    return bool(parts.scheme) and not parts.path.strip("/")


def _web_parts(text: str) -> SplitResult:
    """Return the parts of a URL that names a host and a path at most; else empty ones."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    is_fit = parts.hostname and not parts.query and not parts.fragment and "@" not in parts.netloc
    return parts if is_fit else urlsplit("")


def token_of(path: str | None) -> str:
    """Return the token; empty for none.

    Raises:
        InvalidKey: The file cannot be used.
        UsageError: It is no token.
    """
    where = TOKEN_VARIABLE if path is None else path
    text = (chosen_for_process("token").value or "") if path is None else read_secret(path)
    if path is None and not text:
        return ""
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise click.UsageError(
            f"the token in {where} must be one line of printable ASCII without spaces: "
            "make one by 'openssl rand -hex 32'"
        )
    return text


def _serve_stdio(asked: Asked) -> int:
    if len(asked.faces) > 1:
        raise click.UsageError("--mcp=stdio goes alone: run a second gateway for the others")
    run_stdio = _load("mcp", "run_stdio")
    begin_logs()
    settings = _settings_of(asked, base_url="")
    number = run(run_stdio(asked.url, asked.key, asked.namespace, settings))
    return 130 if number == signal.SIGINT else 0


def _serve(asked: Asked) -> int:
    faces = [_load(name) for name in asked.faces]
    named = begin_logs()

    def say(line: str) -> None:
        tell(line) if named else click.echo(printable(line))

    async def main() -> int:
        from ..serve.gateway_server import serve

        with ExitStack() as stack:
            listeners, home = listening(asked.host, asked.port, "gateway")
            for each in listeners:
                stack.enter_context(each)
            is_beyond = home.is_beyond_loopback
            check_token(asked.host, asked.origins, asked.token, is_beyond=is_beyond)
            gateway, source = _gateway_of(asked, home)
            metrics_url = stack.enter_context(served(asked.metrics, lambda: source))
            reporter = _reporter_of(source)
            stack.callback(reporter.close)

            def on_ready() -> None:
                for line in _lines(asked, home, metrics_url):
                    say(line)

            def on_connected() -> None:
                say(f"  connected   {masked(asked.url)}")
                reporter.ready()

            def on_ending(count: int) -> None:
                reporter.stopping("ending")
                if count:
                    complain(_ENDING.format(count=count, grace_s=asked.grace_s))

            return await serve(
                gateway,
                [face(gateway) for face in faces],
                _admission_of(asked, home),
                listeners,
                source,
                on_ready,
                on_connected,
                lambda: complain(_WAITING.format(url=masked(asked.url))),
                on_ending,
                grace_s=asked.grace_s,
                logs_by_itself=named is None,
            )

    return 130 if run(main()) == signal.SIGINT else 0


def _load(face: str, name: str | None = None) -> Any:
    """Return the class of a face, or what else its module has.

    Raises:
        MissingExtra: Its packages are not installed.
    """
    path, class_name, _, package, extra = _FACES[face]
    whole = f"{__package__.rpartition('.')[0]}.{path}"
    try:
        module = importlib.import_module(whole)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__.partition(".")[0]:
            raise  # a file of ours is not there, which no extra brings
        raise MissingExtra(package, extra) from None
    return getattr(module, name or class_name)


def check_token(host: str, origins: Sequence[str], token: str, *, is_beyond: bool) -> None:
    """Check that a gateway has a token where it needs one.

    Raises:
        UsageError: It has none.
    """
    if is_beyond and not token:
        raise click.UsageError(
            f"--host {host} is reached by other machines, and needs a token: "
            "openssl rand -hex 32 > token; chmod 600 token; add --token-file token"
        )
    if "*" in origins and not token:
        raise click.UsageError("--cors '*' lets every page use it, and needs a token: --token-file")


def _admission_of(asked: Asked, home: Home) -> Any:
    from ..serve.admission import Admission

    names = {asked.host, home.machine, *asked.hosts} if home.is_every else {asked.host}
    return Admission(
        token=asked.token,
        hosts=frozenset({*names, *home.addresses, *asked.hosts}),
        origins=frozenset(each.rstrip("/") for each in asked.origins),
        is_beyond_loopback=home.is_beyond_loopback,
    )


def _gateway_of(asked: Asked, home: Home) -> tuple[Gateway, GatewaySource]:
    from ..dendrite import Dendrite
    from ..exposition.gateway_source import GatewaySource
    from ..serve.gateway import Gateway
    from ..synapse import synapse_from_url
    from ..telemetry.liveness import LoopPulse

    pulse = LoopPulse()
    pulse.start()
    dendrite = Dendrite(
        synapse=synapse_from_url(asked.url, key=asked.key),
        namespace=asked.namespace,
        dendrite_id="gateway",
    )
    gateway = Gateway(dendrite, _settings_of(asked, home.url))
    return gateway, GatewaySource(dendrite, pulse, gateway.counts)


def _reporter_of(source: GatewaySource) -> ServiceReporter:
    """Return what reports to the service manager, if one started this process."""
    from ..runtime.sd_notify import ServiceManager
    from ..telemetry.service_reporter import ServiceReporter

    manager = ServiceManager.taken_from()
    reporter = ServiceReporter(manager, source.turns, lambda: source.ready().why)
    reporter.start()
    return reporter


def load_faces(given: Mapping[str, Any]) -> None:
    """Load the faces that the parameters of the verb name, as a check.

    Raises:
        UsageError: None is named, or --mcp=stdio, which an MCP host starts by itself.
        MissingExtra: The packages of one are not installed.
    """
    if given["mcp"] == "stdio":
        raise click.UsageError("--mcp=stdio is no service: an MCP host starts it; name --mcp")
    for each in faces_of(given):
        _load(each)


def faces_of(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the faces that the parameters of the verb name.

    Raises:
        UsageError: None is named.
    """
    faces = tuple(name for name in _FACES if given[name])
    if not faces:
        raise click.UsageError("name what to serve: --http, --openai, --mcp or --a2a")
    return faces


def _settings_of(asked: Asked, base_url: str) -> GatewaySettings:
    from ..serve.gateway import GatewaySettings

    return GatewaySettings(
        base_url=(asked.base_url or base_url).rstrip("/"),
        timeout_s=asked.timeout_s,
        token=asked.token,
        tools=asked.tools,
        a2a_agent=asked.a2a_agent,
        version=__version__,
    )


def _lines(asked: Asked, home: Home, metrics_url: str | None) -> list[str]:
    """Return what the verb prints once it listens."""
    lines = [f"Gateway of {asked.namespace} listening on {home.url.rstrip('/')}"]
    lines += [f"  {face:<11} {home.url}{_FACES[face][2]}" for face in asked.faces]
    if metrics_url is not None:
        lines.append(f"  metrics     {metrics_url}")
    lines.append("  token       asked for" if asked.token else "  token       none: loopback only")
    if home.is_beyond_loopback:
        lines.append(f"  note        {_NOT_ENCRYPTED}")
    return lines
