"""`cosmo demo`: a whole fabric in one process tree."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

import click

from ..contexts import NO_CONTEXT
from ..demo.gateway_show import check_can_serve, show_gateway
from ..demo.scene import play_scene
from ..demo.show import QUESTION, show
from ..errors import SynapseUnreachable
from ..runtime.environment import CONTEXT_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE
from ..runtime.loops import run
from ..runtime.printable import printable_lines
from ..synapse import connect_synapse
from ..synapse.nats.nats_py import check_installed
from ..synapse.schemes import checked_url, is_on_nats
from ..synapse.url import masked
from .variables import in_the_environment

_LOOK_S = 2.0


def _say(text: str, nl: bool = True) -> None:
    click.echo(printable_lines(text), nl=nl)


def _of_nats(context: click.Context, option: click.Parameter, url: str | None) -> str | None:
    """Return the URL of a nats-server.

    Raises:
        BadParameter: It is none.
        InvalidUrl: It is one that cannot be used.
    """
    if url is not None and not is_on_nats(url):
        raise click.BadParameter("the demo brings its own Synapse: name a nats-server, nats://HOST")
    if url is not None:
        checked_url(url)
    return url


async def _check_nobody_serves(url: str) -> None:
    """Check that a nats-server is there, and no Synapse whose namespaces the demo would take.

    Raises:
        ClickException: A Synapse serves there.
        SynapseUnreachable: No nats-server answers.
        AccessRefused: It does not let this program in.
        MissingExtra: nats-py is not installed.
    """
    check_installed()
    from ..synapse.nats.synapse import EMPTY  # of an extra

    try:
        synapse = await connect_synapse(url, timeout_s=_LOOK_S)
    except SynapseUnreachable as error:
        if error.reason.startswith(EMPTY):
            return
        raise
    await synapse.close()
    raise click.ClickException(
        f"a Synapse serves at {masked(url)} already, and that of the demo would take half of its "
        "namespaces: name another nats-server, such as one that 'nats-server -p 4333' starts"
    )


@click.command()
@click.option(
    "--keep", is_flag=True, help="Keep the processes running and print the URLs; Ctrl-C ends them."
)
@click.option(
    "--serve", "serves", is_flag=True, help="A gateway: print what reaches it, until Ctrl-C."
)
@click.option("--question", default=QUESTION, show_default=True, help="The question to ask.")
@click.option(
    "--scene", is_flag=True, help="A busy fabric where much goes wrong, to look at in Prism."
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.01, 1440),
    default=15.0,
    show_default=True,
    help="With --scene: how long it lasts.",
)
@click.option(
    "--neurons",
    type=click.IntRange(0, 1000),
    default=0,
    show_default=True,
    help="With --scene: so many quiet Neurons more.",
)
@click.option("--steady", is_flag=True, help="With --scene: leave the Synapse alone.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="With --scene: the port of Prism."
)
@click.option(
    "--url",
    "nats_url",
    metavar="URL",
    callback=_of_nats,
    help="A nats-server without a Synapse, as nats://HOST: everything goes over it.",
)
@click.option("--no-browser", is_flag=True, help="With --scene: open no browser.")
@click.pass_context
def command(
    context: click.Context,
    /,
    keep: bool,
    question: str,
    scene: bool,
    serves: bool,
    nats_url: str | None,
    **options: Any,
) -> None:
    """Start a Synapse, two replicas and a Flask edge; ask a question over HTTP; show all of it.

    With --serve a gateway is in front of the replicas: it prints a line for curl, a program for the
    package openai and the configuration of an MCP host, which all work until Ctrl-C.

    With --scene it starts callers and workers that stream, fail, block, die and come back, and a
    Prism to look at them.

    With HF_TOKEN set, a model of Hugging Face answers. Without it, an offline Neuron finds the
    answer in the documentation.
    """
    if serves and (scene or keep):
        raise click.UsageError("--serve goes without --scene and --keep")
    for name in ("keep", "question") if scene else options:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            flag = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{flag} is {'not ' * scene}for --scene")
    # Its Synapse is its own, whatever fabric this user works with.
    with in_the_environment({CONTEXT_VARIABLE: NO_CONTEXT, KEY_VARIABLE: "", TOKEN_VARIABLE: ""}):
        if nats_url is not None:
            run(_check_nobody_serves(nats_url))
        if serves:
            check_can_serve()
            showing = show_gateway(_say, nats_url)
        elif scene:
            showing = _scene(nats_url, **options)
        else:
            showing = show(question, keep, _say, nats_url)
        run(_until_told(showing))


def _scene(
    nats_url: str | None,
    minutes: float,
    neurons: int,
    steady: bool,
    port: int,
    no_browser: bool,
    **_: Any,
) -> Coroutine[Any, Any, None]:
    page = ("--port", str(port), *(["--no-browser"] if no_browser else []))
    return play_scene(
        _say, minutes=minutes, neurons=neurons, steady=steady, page=page, nats_url=nats_url
    )


async def _until_told(showing: Coroutine[Any, Any, None]) -> None:
    """Show, and end the processes in order at SIGTERM and when the terminal is closed, too."""
    task = asyncio.ensure_future(showing)
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
