"""Which kernel runs, and why, in words."""

import pytest

import zmq_transport.kernel
from cosmonapse import kernel
from cosmonapse.synapse.kernels import STALE_TEXT, kernel_text


@pytest.mark.parametrize(
    ("ours", "transport", "forced", "text"),
    [
        (True, True, "", "compiled"),
        (False, False, "1", "pure Python (COSMO_PURE=1)"),
        (False, False, "", "pure Python (no C compiler was found at install)"),
        (False, True, "", "one half compiled, one half pure Python (install anew)"),
        (True, False, "", "one half compiled, one half pure Python (install anew)"),
    ],
)
def test_the_text_names_the_kernel_and_the_reason(monkeypatch, ours, transport, forced, text):
    monkeypatch.setattr(kernel, "COMPILED", ours)
    monkeypatch.setattr(zmq_transport.kernel, "COMPILED", transport)
    monkeypatch.setenv("COSMO_PURE", forced)

    assert kernel_text() == text


@pytest.mark.parametrize("room", [kernel, zmq_transport.kernel])
def test_a_kernel_of_other_sources_is_named(monkeypatch, room):
    monkeypatch.setattr(room, "STALE", True)
    monkeypatch.setenv("COSMO_PURE", "")

    assert kernel_text() == STALE_TEXT
