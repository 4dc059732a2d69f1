"""The exit code of each kind of error."""

import pytest

from cosmonapse import errors
from cosmonapse.cli import exit_code_of

URL = "cosmo://host:7070"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AccessRefused(URL, "not listed", "cosmo keys allow"), 5),
        (errors.NeuronError("ACCESS_DENIED", "no right"), 5),
        (errors.SynapseRefused(URL, "full"), 1),
        (errors.InvalidKey("ada.key", "it is gone"), 2),
        (errors.InsecureBind("0.0.0.0"), 2),
        (errors.SynapseUnreachable(URL, "nobody", "start it"), 3),
        (errors.SynapseAway(URL, 3.0, "the TASK"), 3),
        (TimeoutError("late"), 4),
    ],
)
def test_the_exit_code_says_what_kind_of_error_it_was(error, code):
    assert exit_code_of(error) == code
