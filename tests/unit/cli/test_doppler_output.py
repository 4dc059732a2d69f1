"""The colours of `cosmo doppler`."""

import pytest

from cosmonapse.cli.doppler_output import coloured
from cosmonapse.signals import SignalType


@pytest.mark.parametrize(
    ("type", "code"),
    [
        (SignalType.TASK, 1),
        (SignalType.ERROR, 31),
        (SignalType.FINAL, 32),
        (SignalType.REGISTER, 90),
        (SignalType.PLAN, 36),
    ],
)
def test_a_type_has_its_colour_and_any_other_is_cyan(type, code):
    assert coloured("text", type) == f"\x1b[{code}mtext\x1b[0m"
