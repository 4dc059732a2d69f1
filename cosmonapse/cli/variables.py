"""Variables of the environment that a verb sets, for itself and for what it starts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def in_the_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment for a while, for what this process starts, too."""
    before = {each: os.environ.get(each) for each in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
