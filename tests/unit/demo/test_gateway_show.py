"""What `cosmo demo --serve` needs, and says before it starts anything."""

import pytest

from cosmonapse import MissingExtra
from cosmonapse.demo import gateway_show


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_gateway_s_packages_it_names_the_extra_first(missing, monkeypatch):
    def find_spec(name):
        return None if name == missing else object()

    monkeypatch.setattr(gateway_show.importlib.util, "find_spec", find_spec)

    with pytest.raises(MissingExtra, match=rf"{missing} .* cannot be imported; .*\[serve\]"):
        gateway_show.check_can_serve()
