"""The node that the tests of this folder run in."""

import pytest

from support.node import node_or_skip


@pytest.fixture(scope="session")
def node():
    """The path of a node; without one the test is skipped."""
    return node_or_skip()
