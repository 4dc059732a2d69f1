"""How many examples the machines get, by the profile of the run."""

import os
from fractions import Fraction

# `short` is for those who wait for `make check`, `thorough` for `make test-all`.
_SHARE = {"short": Fraction(1, 20), "thorough": Fraction(5)}


def examples(count):
    """Return `count`, scaled by the profile."""
    return int(count * _SHARE.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 1))
