"""The node of the tests: the one that `make` found or installed, or that COSMO_TEST_NODE names."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GATEWAY_CLIENTS = ROOT / "tests" / "gateway_clients"
CLIENT = ROOT / "clients" / "javascript"
NODE_TESTS = "tests in node"
"""The property of a test's report that counts the tests that ran in node's own runner."""
_WHY = "no node, or no packages by npm, for the JavaScript client"
_FOLDER = ROOT / ".venv-dev" / "node"


def node_or_skip():
    """Return the path of a node; skip the test where `make` could not get one, or its packages."""
    folder = ROOT / os.environ.get("COSMO_TEST_NODE", _FOLDER)
    node = folder / "node"
    if not os.access(node, os.X_OK) or not (CLIENT / "node_modules" / ".installed").exists():
        pytest.skip(f"{_WHY}: `make check-js` tries to install them")
    return node


def gateway_node_or_skip():
    """Return the path of a node that has the clients of others; skip the test without them."""
    folder = ROOT / os.environ.get("COSMO_TEST_NODE", _FOLDER)
    node = folder / "node"
    if not os.access(node, os.X_OK) or not (GATEWAY_CLIENTS / "node_modules").is_dir():
        pytest.skip(f"{_WHY}: run 'npm ci' in {GATEWAY_CLIENTS.relative_to(ROOT)}")
    return node


def skipped_without_node(report):
    """Return whether a test was skipped by `node_or_skip`."""
    return _WHY in str(report.longrepr)
