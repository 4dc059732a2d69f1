"""One process of the runner: `python -m cosmonapse.worker_runner.worker_process SETTINGS`.

It loads the program, joins the fabric with all its Axons, says that it is ready, and serves until
SIGTERM. The runner never imports the program itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from ..axon import Axon
from ..configuration import chosen_for_process
from ..dendrite import Dendrite
from ..runtime.environment import TRACEBACK_VARIABLE, value_of
from ..runtime.loops import run
from ..runtime.os_signals import stop_signal
from ..runtime.reachable import when_reachable
from ..synapse import connect_synapse
from ..trace_export import export_the_rest, set_provider_as_asked
from .control_line import ControlLine
from .load_failure import failure_of, files_of
from .program_files import own_path
from .service_view import BEAT_S
from .targets import Hosted, hosted_of

if TYPE_CHECKING:
    from .process_probes import ProcessProbes

_CONNECT_S = 3.0
_FILES_S = 1.0
_MAX_NAME = 100


@attrs.frozen(kw_only=True)
class ProcessSettings:
    """What a worker process is given.

    Attributes:
        targets: What to run, each `module` or `module:name`.
        url: The Synapse.
        key: The path of the key to show; None for that of the environment.
        namespace: The namespace.
        concurrency: The concurrency of each Axon; None for its own.
        grace_s: How long tasks may run on at the end.
        folders: Where the files of the program are.
        reloads: Whether the runner wants to know of them.
        descriptor: The descriptor of the control line.
        beats: Whether the runner wants to know that the event loop turns, and of the load.
        probe_descriptor: The descriptor of the line for metrics and probes; -1 without them.
    """

    targets: Sequence[str]
    url: str
    key: str | None
    namespace: str
    concurrency: int | None
    grace_s: float
    folders: Sequence[str]
    reloads: bool = False
    descriptor: int = -1
    beats: bool = False
    probe_descriptor: int = -1

    def as_argument(self) -> str:
        """Return them as an argument of the command line.

        What has its default is left out: the process may be of an older version, installed since
        the runner began.
        """
        return json.dumps(attrs.asdict(self, filter=lambda field, value: value != field.default))

    @classmethod
    def of(cls, argument: str) -> ProcessSettings:
        """Read an argument; what a newer runner says besides is left out."""
        given = json.loads(argument)
        return cls(
            **{each.name: given[each.name] for each in attrs.fields(cls) if each.name in given}
        )


def main(argument: str) -> int:
    """Load, join, serve; return the exit code."""
    settings = ProcessSettings.of(argument)
    line = ControlLine(settings.descriptor, settings.grace_s)
    if chosen_for_process("log_format").value is not None:
        from .. import logs

        logs.configure()
    try:
        probes = _probes(settings.probe_descriptor)
        hosted = hosted_of(settings.targets)
        set_provider_as_asked()  # behind the program, which may set one of its own
        if settings.concurrency is not None:
            hosted = [_with_concurrency(each, settings.concurrency) for each in hosted]
        line.tell("loaded", files=_files(settings.folders))
        run(_serve(hosted, settings, line, probes))
    except BaseException as error:  # noqa: BLE001  # the last door: the runner tells it in one line
        failure = failure_of(error, settings.folders)
        if value_of(TRACEBACK_VARIABLE):
            traceback.print_exception(error)
            failure = attrs.evolve(failure, trace="")
        files = [*_files(settings.folders), *files_of(error, settings.folders)]
        line.tell("failed", files=files, **attrs.asdict(failure))
        return failure.code
    return 0


def _probes(descriptor: int) -> ProcessProbes | None:
    """Answer to the runner from now on, if it asks for metrics."""
    if descriptor < 0:
        return None
    from .process_probes import ProcessProbes

    return ProcessProbes(descriptor)


async def _serve(
    hosted: Sequence[Hosted],
    settings: ProcessSettings,
    line: ControlLine,
    probes: ProcessProbes | None,
) -> None:
    async def join() -> Dendrite:
        return await _joined(hosted, settings)

    stopping = asyncio.create_task(stop_signal(), name="signals")
    joining = asyncio.create_task(
        when_reachable(join, lambda text: line.tell("waiting", text=text)), name="join"
    )
    await asyncio.wait({stopping, joining}, return_when=asyncio.FIRST_COMPLETED)
    if not joining.done():
        joining.cancel()
        await asyncio.wait({joining})
        return
    dendrite = joining.result()
    if probes is not None:
        probes.serve(dendrite)
    line.is_serving = True
    ids = [axon.neuron_id for axon in dendrite._inbox.axons]
    line.tell("ready", ids=ids, url=dendrite.synapse.url, files=_files(settings.folders))
    telling = asyncio.create_task(_tell_files(settings, line), name="files")
    beating = asyncio.create_task(_beat(dendrite, settings, line), name="beat")
    await stopping
    telling.cancel()
    beating.cancel()
    await dendrite.stop("signal", drain_s=settings.grace_s)
    await export_the_rest()


def _with_concurrency(hosted: Hosted, concurrency: int) -> Hosted:
    """Return an Axon with another concurrency; a source has its own."""
    return attrs.evolve(hosted, concurrency=concurrency) if isinstance(hosted, Axon) else hosted


async def _joined(hosted: Sequence[Hosted], settings: ProcessSettings) -> Dendrite:
    """Return a Dendrite that hosts the Axons and sources, once TASKs reach them."""
    synapse = await connect_synapse(settings.url, key=settings.key, timeout_s=_CONNECT_S)
    dendrite = Dendrite(
        synapse=synapse,
        namespace=settings.namespace,
        dendrite_id=_name_of(settings.targets[0]),
        role="worker",
    )
    for each in hosted:
        if isinstance(each, Axon):
            dendrite.attach_axon(each)
        else:
            await dendrite.add_source(each)
    await dendrite.start()
    return dendrite


async def _tell_files(settings: ProcessSettings, line: ControlLine) -> None:
    """Tell of the files that the program loads later, for example in a function."""
    count = 0
    while settings.reloads:
        if count != len(sys.modules):
            count = len(sys.modules)
            line.tell("files", files=_files(settings.folders))
        await asyncio.sleep(_FILES_S)


async def _beat(dendrite: Dendrite, settings: ProcessSettings, line: ControlLine) -> None:
    """Tell at intervals that the loop turns; a loop that is blocked says nothing."""
    while settings.beats:
        loads = [dendrite._inbox.load(each.neuron_id) for each in dendrite._inbox.axons]
        running, queued = (sum(each[place] for each in loads) for place in (0, 1))
        line.beat(running=running, queued=queued)
        await asyncio.sleep(BEAT_S)


def _name_of(target: str) -> str:
    """Return the name of a Dendrite: what it runs, and its process id."""
    module = re.sub(r"[^A-Za-z0-9._-]", "-", target.partition(":")[0])
    return f"{module[-_MAX_NAME:]}-{os.getpid()}"


def _files(folders: Sequence[str]) -> list[str]:
    """Return the files of the modules that are loaded and belong to the program."""
    paths = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    own = (own_path(path, folders) for path in paths if isinstance(path, str))
    return sorted({path for path in own if path})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
