"""Processes that are traced, for tests: each prints its spans by the exporter `console`."""

import signal

from support.processes import ROOT
from support.spans import printed

EXPORTING = {"OTEL_TRACES_EXPORTER": "console", "PYTHONPATH": str(ROOT / "tests")}


def started_worker(children, url, targets, chat):
    """Start `cosmo worker` with Neurons of `traced_app`; return it once it serves."""
    env = {**EXPORTING, "CHAT_SERVER": chat.url, "NO_PROXY": "127.0.0.1"}
    names = [f"support.traced_app:{each}" for each in targets]
    worker = children.cosmo(
        "worker", *names, "--url", url, "-n", "traced", env=env, merge_stderr=True
    )
    worker.line("cosmo worker: serving")
    return worker


def spans_of(child):
    """End a process, and return the spans that it has printed."""
    child.send(signal.SIGTERM)
    child.wait()
    return printed(child.said.splitlines())
