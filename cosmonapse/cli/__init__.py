"""The command `cosmo`: parse, call, print. One verb a file, each loaded when it is called."""

from __future__ import annotations

import difflib
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click
from click.shell_completion import CompletionItem

from .. import __version__
from ..errors import (
    AccessRefused,
    InsecureBind,
    InvalidCarrier,
    InvalidContext,
    InvalidKey,
    InvalidName,
    InvalidUrl,
    LocalError,
    NeuronError,
    RemoteError,
    SeveralSynapses,
    SynapseUnreachable,
    UnencodableValue,
    facts_of,
)
from ..runtime.printable import printable
from .std_streams import complain, discard_rest, prepare, reason_of, route_complaints

# Raised by a newer click for a group without a verb; its text is the help.
_ASKS_FOR_HELP: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
_MISTAKES = (
    InsecureBind,
    InvalidCarrier,
    InvalidContext,
    InvalidKey,
    InvalidName,
    InvalidUrl,
    SeveralSynapses,
    UnencodableValue,
)
OK, ERROR, USAGE, NOBODY_THERE, TIMEOUT, ACCESS_REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

_VERBS = {
    "answer": "answer questions of Neurons, by hand or from a script",
    "bench": "measure the fabric at hand",
    "check": "check the health of the fabric; the exit code says it too",
    "completion": "print the completion script for bash, zsh or fish",
    "config": "show which value of each setting counts, and where it comes from",
    "context": "name a fabric: URL, namespace and key, and select one",
    "demo": "run everything once: Synapse, replicas, HTTP edge, a question, an answer",
    "describe": "show what a Neuron takes, gives and is for",
    "dispatch": "send one TASK and print its output",
    "doctor": "examine settings, machine and network: what is wrong, what to do",
    "doppler": "show every Signal as it passes; --prism: in a browser",
    "emit": "publish one Signal",
    "find": "show the Synapses that are announced on this network",
    "keys": "make keys for people and programs, allow and revoke them",
    "new": "write a small project to begin with: worker, flask, fastapi or express",
    "prism": "show every Signal in a browser",
    "ps": "show the open tasks: who asked, who has them, for how long",
    "record": "write every Signal to a file, to look at it later",
    "registry": "show the live Axons, with load and state",
    "reply": "answer TASKs with a shell command",
    "serve": "serve Neurons over HTTP, OpenAI's API, MCP and A2A",
    "service": "run a Synapse, a worker or a gateway by systemd",
    "stop": "cancel every open task of a workflow",
    "synapse": "run the Synapse",
    "worker": "host Axons in processes of their own, and reload them",
}


_MEANT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("start", "run", "up", "server"), "synapse start"),
        **dict.fromkeys(("gateway", "http", "openai", "mcp", "a2a", "api"), "serve"),
        **dict.fromkeys(("init", "create", "scaffold", "project"), "new"),
        **dict.fromkeys(("workers", "host", "neuron", "axon"), "worker"),
        **dict.fromkeys(("send", "ask", "call", "task", "invoke"), "dispatch"),
        **dict.fromkeys(("publish", "broadcast", "pub"), "emit"),
        **dict.fromkeys(("exec", "shell", "command"), "reply"),
        **dict.fromkeys(("cancel", "kill", "abort", "end"), "stop"),
        **dict.fromkeys(("ls", "list", "neurons", "axons", "who"), "registry"),
        **dict.fromkeys(("tasks", "jobs", "running"), "ps"),
        **dict.fromkeys(("tail", "watch", "log", "logs", "monitor", "top"), "doppler"),
        **dict.fromkeys(("status", "health", "ping", "info", "stats"), "check"),
        **dict.fromkeys(("diagnose", "debug", "examine", "why"), "doctor"),
        **dict.fromkeys(("card", "schema", "help-of", "explain"), "describe"),
        **dict.fromkeys(("respond", "questions"), "answer"),
        **dict.fromkeys(("ui", "web", "dashboard"), "prism"),
        **dict.fromkeys(("contexts", "profile", "use", "login", "switch"), "context"),
        **dict.fromkeys(("configuration", "settings", "env", "where"), "config show"),
        **dict.fromkeys(("key", "keygen", "allow", "revoke", "users", "access"), "keys"),
        **dict.fromkeys(("discover", "browse", "scan", "lan", "mdns"), "find"),
        **dict.fromkeys(("systemd", "systemctl", "unit", "daemon", "install"), "service install"),
        **dict.fromkeys(("perf", "benchmark", "speed"), "bench"),
        **dict.fromkeys(("capture", "dump", "save", "replay", "recording"), "record"),
    }
)
"""What people type, and the verb that does it."""


class _Verbs(click.Group):
    """Finds a verb in the module of its name, so that `cosmo --help` loads none."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(_VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _VERBS:
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name}").command
        return command

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; name the one that was meant if there is none."""
        if arguments[0] not in _VERBS and not arguments[0].startswith("-"):
            raise click.UsageError(_no_such_verb(arguments[0]), context)
        return super().resolve_command(context, arguments)

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a verb without loading any."""
        if incomplete.startswith("-"):
            return super().shell_complete(context, incomplete)
        found = sorted(name for name in _VERBS if name.startswith(incomplete))
        return [CompletionItem(name, help=_VERBS[name]) for name in found]

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_VERBS.items()))


def _no_such_verb(name: str) -> str:
    """Return the text about a verb that does not exist, with the one that was probably meant."""
    near = difflib.get_close_matches(name.lower(), [*_VERBS, *_MEANT], 1, 0.6)
    meant = _MEANT.get(near[0], near[0]) if near else None
    guess = "" if meant is None else f": did you mean 'cosmo {meant}'?"
    return f"there is no verb {name!r:.80}{guess}"


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
    if isinstance(error, AccessRefused):
        return ACCESS_REFUSED
    if isinstance(error, _MISTAKES):
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
        complain(f"cosmo: {printable(_one_line(error))}{_where_to_look(error)}", logging.ERROR)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        discard_rest()
        sys.stderr.close()  # the reader of our output is gone, and stderr may be the same pipe
        return ERROR
    except (LocalError, RemoteError, OSError) as error:
        is_ours = isinstance(error, (LocalError, RemoteError, TimeoutError))
        text = printable(str(error) if is_ours else reason_of(error))
        complain(f"cosmo: {text}", logging.ERROR)
        discard_rest()
        return exit_code_of(error)
    finally:
        route_complaints(None)
    return result if isinstance(result, int) else OK


def _one_line(error: click.ClickException) -> str:
    """Return the message of an error without the line ends and tabs of its lists."""
    lines = error.format_message().split("\n\t")
    return " ".join(lines)


def _where_to_look(error: click.ClickException) -> str:
    """Return the hint to the help of the verb, for a mistake of usage."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return "" if context is None else f" (see '{context.command_path} --help')"


def main() -> None:
    """Run as the console script."""
    if not prepare():
        complain("cosmo: stdout is closed: redirect it to a file, or to /dev/null")
        sys.exit(ERROR)
    sys.exit(run())
