"""The command `cosmo`: parse, call, print. One verb a file, each loaded when it is called."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence
from typing import Any

import click

from .. import __version__
from ..errors import (
    InvalidName,
    InvalidUrl,
    LocalError,
    NeuronError,
    RemoteError,
    SynapseUnreachable,
    UnencodableValue,
    facts_of,
)
from ..runtime.printable import printable

# Raised by a newer click for a group without a verb; its text is the help.
_ASKS_FOR_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
OK, ERROR, USAGE, NOBODY_THERE, TIMEOUT, INTERRUPTED = 0, 1, 2, 3, 4, 130

_VERBS = {
    "answer": "answer questions of Neurons, by hand or from a script",
    "bench": "measure the fabric at hand",
    "check": "check the health of the fabric; the exit code says it too",
    "demo": "run everything once: Synapse, replicas, HTTP edge, a question, an answer",
    "dispatch": "send one TASK and print its output",
    "doppler": "show every Signal as it passes; --prism: in a browser",
    "prism": "show every Signal in a browser",
    "registry": "show the live Axons, with load and state",
    "synapse": "run the Synapse",
}


class _Verbs(click.Group):
    """Finds a verb in the module of its name, so that `cosmo --help` loads none."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cosmo")
def cosmo() -> None:
    """A peer-to-peer messaging fabric for agents, on ZeroMQ."""


def exit_code_of(error: BaseException) -> int:
    """Return the exit code of the command line for an error."""
    if isinstance(error, NeuronError):
        return facts_of(error.code).exit_code
    if isinstance(error, SynapseUnreachable):
        return NOBODY_THERE
    if isinstance(error, (InvalidUrl, InvalidName, UnencodableValue)):
        return USAGE
    return TIMEOUT if isinstance(error, TimeoutError) else ERROR


def run(arguments: Sequence[str] | None = None) -> int:
    """Run `cosmo` and return its exit code; an error is one line on stderr."""
    try:
        result = cosmo.main(args=arguments, prog_name="cosmo", standalone_mode=False)
    except _ASKS_FOR_HELP as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        click.echo(f"cosmo: {printable(error.format_message())}{_where_to_look(error)}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output is gone, and stderr may be the same pipe
        return ERROR
    except (LocalError, RemoteError, TimeoutError) as error:
        click.echo(f"cosmo: {printable(str(error))}", err=True)
        return exit_code_of(error)
    return result if isinstance(result, int) else OK


def _where_to_look(error: click.ClickException) -> str:
    """Return the hint to the help of the verb, for a mistake of usage."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return "" if context is None else f" (see '{context.command_path} --help')"


def main() -> None:
    """Run as the console script."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that knows ASCII only
    sys.exit(run())
