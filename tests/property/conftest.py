"""The same examples at every run, so that a red build is red again; no deadlines."""

import os

from hypothesis import HealthCheck, settings

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
