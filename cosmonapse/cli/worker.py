"""`cosmo worker`: runs Axons in processes of their own, and reloads them."""

from __future__ import annotations

import asyncio
import os

import click

from ..keys import Key
from ..runtime.printable import printable_lines
from ..runtime.sd_notify import ServiceManager
from ..worker_runner.runner import Runner
from ..worker_runner.worker_process import ProcessSettings
from .fabric import KEY_FILE, fabric_options
from .log_format import begin_logs, log_format_option, tell
from .metrics import metrics_option, warn
from .options import grace_option
from .std_streams import complain

_MAX_PROCESSES = 1024


@click.command()
@click.argument("targets", metavar="MODULE[:NAME]...", nargs=-1, required=True)
@fabric_options
@click.option(
    "--workers",
    type=click.IntRange(1, _MAX_PROCESSES),
    default=1,
    show_default=True,
    help="The number of processes; each hosts all the Axons.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1),
    help="The concurrency of each Axon, instead of its own.",
)
@grace_option("Seconds that running tasks may take at the end of a process.")
@click.option("--reload", "reloads", is_flag=True, help="Load the code anew when it changes.")
@click.option(
    "--reload-dir",
    "reload_folders",
    type=click.Path(exists=True, file_okay=False, resolve_path=True),
    multiple=True,
    help="A folder with code, instead of the current one; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as JSON on one line.")
@log_format_option
@metrics_option
@click.pass_context
def command(
    context: click.Context,
    targets: tuple[str, ...],
    url: str,
    key: Key | None,
    namespace: str,
    workers: int,
    concurrency: int | None,
    grace_s: float,
    reloads: bool,
    reload_folders: tuple[str, ...],
    as_json: bool,
    metrics: str | None,
) -> int:
    """Host Axons in processes of their own until Ctrl-C or SIGTERM.

    A MODULE is imported as Python does, from the current directory too. NAME is an Axon, a function
    with @neuron, or a list of them; without it all that the module has are hosted. For example:
    cosmo worker app --reload

    With --reload the next process is ready before the old one ends, and no task is lost.
    """
    if reload_folders and not reloads:
        raise click.UsageError("--reload-dir says where --reload looks: add --reload")
    if url.lower().startswith("memory://"):
        raise click.UsageError("memory:// is inside one process: name a Synapse of cosmo://")
    settings = ProcessSettings(
        targets=targets,
        url=url,
        key=context.meta.get(KEY_FILE),
        namespace=namespace,
        concurrency=concurrency,
        grace_s=grace_s,
        folders=reload_folders or (os.getcwd(),),
        reloads=reloads,
    )

    log = None if begin_logs() is None else tell

    def say(text: str) -> None:
        complain(f"cosmo worker: {printable_lines(text)}")

    show = click.echo if as_json else say
    manager = ServiceManager.taken_from()

    async def main() -> int:
        runner = Runner(settings, workers, show, as_json, log=log, manager=manager, metrics=metrics)
        if runner.metrics is not None:
            complain(f"cosmo worker: metrics at {runner.metrics.url}/metrics")
            warn(runner.metrics.warning)
        return await runner.run()

    return asyncio.run(main())
