"""The run as a whole: what is the same for every test."""

import os
import signal

from hypothesis import HealthCheck, settings

from support.node import NODE_TESTS, skipped_without_node

# A run in the background (`make test &` in a script, nohup) starts with SIGINT ignored, and what is
# ignored stays ignored in every child. What is caught goes back to its default there, so we catch
# it, and go on ignoring it here. `pytest` imports this file on its main thread, where that is
# allowed.
for _number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)

# What a user has selected for daily use is not for tests: they, and what they start, use none.
os.environ["COSMO_CONTEXT"] = "-"

# Drawn examples: the same at every run, so that a red build is red again; no deadlines.
settings.register_profile(
    "repeatable",
    derandomize=True,
    deadline=None,
    max_examples=80,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "short", settings.get_profile("repeatable"), max_examples=10, stateful_step_count=25
)
settings.register_profile("thorough", settings.get_profile("repeatable"), max_examples=800)
# The tests of hostile bytes change each example 250 times: a million of each.
settings.register_profile("million", settings.get_profile("repeatable"), max_examples=4000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def pytest_terminal_summary(terminalreporter):
    """Say in one line how many tests of the JavaScript client ran in node, or did not."""
    ended = [each for kind in terminalreporter.stats.values() for each in kind]
    reports = [each for each in ended if getattr(each, "when", "") == "call"]
    found = [dict(getattr(each, "user_properties", ())).get(NODE_TESTS, 0) for each in reports]
    if ran := sum(found):
        terminalreporter.write_line(f"{ran} tests of the JavaScript client ran in node")
    if skipped := sum(map(skipped_without_node, terminalreporter.stats.get("skipped", ()))):
        terminalreporter.write_line(
            f"{skipped} tests of the JavaScript client were skipped: no node"
        )
