"""`cosmo serve`: the Neurons of a fabric over HTTP, OpenAI's API, MCP and A2A."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs
import click

from .. import __version__
from ..http_server.bound_address import LOOPBACK, BoundAddress
from ..http_server.listening import listening
from ..keys import Key
from ..runtime.loops import run
from ..runtime.printable import printable
from ..synapse.url import masked
from .fabric import fabric_options
from .gateway_faces import faces_of, loaded, path_of
from .gateway_flags import check_flags, check_stdio, check_token, token_of
from .gateway_printer import GatewayPrinter
from .log_format import begin_logs, log_format_option, tell
from .metrics import metrics_option, served
from .options import TIMEOUT_S, grace_option, no_nan

if TYPE_CHECKING:
    from ..exposition.gateway_source import GatewaySource
    from ..serve.gateway import Gateway, GatewaySettings
    from ..telemetry.service_reporter import ServiceReporter

DEFAULT_PORT = 8080


@attrs.frozen(kw_only=True)
class ServeOptions:
    """The options of the verb, checked."""

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
    check_flags(faces, given)
    options = ServeOptions(faces=faces, token=token_of(token_file), **given)
    if mcp == "stdio":
        return _serve_stdio(options)
    return _serve(options)


def _serve_stdio(options: ServeOptions) -> int:
    check_stdio(options.faces, click.get_current_context())
    run_stdio = loaded("mcp", "run_stdio")
    begin_logs()
    settings = _settings_of(options, base_url="")
    number = run(run_stdio(options.url, options.key, options.namespace, settings))
    return 130 if number == signal.SIGINT else 0


def _serve(options: ServeOptions) -> int:
    faces = [loaded(name) for name in options.faces]
    named = begin_logs()

    def say(line: str) -> None:
        tell(line) if named else click.echo(printable(line))

    async def main() -> int:
        from ..serve.gateway_server import serve
        from ..synapse.open_files import raise_descriptor_limit

        raise_descriptor_limit()  # each connection needs one; a common soft limit is 1,024
        with ExitStack() as stack:
            listeners, bound = listening(options.host, options.port, "gateway")
            for each in listeners:
                stack.enter_context(each)
            is_beyond = bound.is_beyond_loopback
            check_token(options.host, options.origins, options.token, is_beyond=is_beyond)
            gateway, source = _gateway_of(options, bound)
            metrics_url = stack.enter_context(served(options.metrics, lambda: source))
            reporter = _reporter_of(source)
            stack.callback(reporter.close)
            printer = GatewayPrinter(
                namespace=options.namespace,
                url=masked(options.url),
                bound=bound,
                paths={face: path_of(face) for face in options.faces},
                metrics_url=metrics_url,
                has_token=bool(options.token),
                grace_s=options.grace_s,
                reporter=reporter,
                say=say,
            )
            return await serve(
                gateway,
                [face(gateway) for face in faces],
                _admission_of(options, bound),
                listeners,
                source,
                printer,
                grace_s=options.grace_s,
                logs_by_itself=named is None,
            )

    return 130 if run(main()) == signal.SIGINT else 0


def _admission_of(options: ServeOptions, bound: BoundAddress) -> Any:
    from ..serve.admission import Admission

    names = {options.host, bound.machine, *options.hosts} if bound.is_every else {options.host}
    return Admission(
        token=options.token,
        hosts=frozenset({*names, *bound.addresses, *options.hosts}),
        origins=frozenset(each.rstrip("/") for each in options.origins),
        is_beyond_loopback=bound.is_beyond_loopback,
    )


def _gateway_of(options: ServeOptions, bound: BoundAddress) -> tuple[Gateway, GatewaySource]:
    from ..dendrite import Dendrite
    from ..exposition.gateway_source import GatewaySource
    from ..serve.gateway import Gateway
    from ..synapse import synapse_from_url
    from ..telemetry.liveness import LoopPulse

    pulse = LoopPulse()
    pulse.start()
    dendrite = Dendrite(
        synapse=synapse_from_url(options.url, key=options.key),
        namespace=options.namespace,
        dendrite_id="gateway",
    )
    gateway = Gateway(dendrite, _settings_of(options, bound.url))
    return gateway, GatewaySource(dendrite, pulse, gateway.counts)


def _reporter_of(source: GatewaySource) -> ServiceReporter:
    """Return what reports to the service manager, if one started this process."""
    from ..runtime.sd_notify import ServiceManager
    from ..telemetry.service_reporter import ServiceReporter

    manager = ServiceManager.taken_from()
    reporter = ServiceReporter(manager, source.turns, lambda: source.ready().why)
    reporter.start()
    return reporter


def _settings_of(options: ServeOptions, base_url: str) -> GatewaySettings:
    from ..serve.gateway import GatewaySettings

    return GatewaySettings(
        base_url=(options.base_url or base_url).rstrip("/"),
        timeout_s=options.timeout_s,
        token=options.token,
        tools=options.tools,
        a2a_agent=options.a2a_agent,
        version=__version__,
    )
