"""What is said of a package that is missing, too old, too new or broken."""

import configparser
import re
from importlib import metadata

import pytest

from cosmonapse.errors import MissingExtra
from cosmonapse.runtime.extras import WANTED, check_versions, fault_of, missing_extra
from house import source


@pytest.fixture
def installed(monkeypatch):
    """Say which versions are installed."""

    def versions(**found):
        def version(name):
            try:
                return found[name.replace("-", "_")]
            except KeyError:
                raise metadata.PackageNotFoundError(name) from None

        monkeypatch.setattr(metadata, "version", version)

    return versions


@pytest.mark.parametrize(
    ("version", "fault"),
    [
        ("1.30.0", "is too old"),
        ("2.2.9", "is too old"),
        ("2.3", ""),
        ("2.3.0rc1", ""),
        ("2.30.1", ""),
        ("3.0", "is too new"),
        ("12", "is too new"),
    ],
)
def test_a_version_is_compared_by_its_numbers(version, fault):
    assert fault_of(version, ">=2.3,<3") == fault


def test_one_that_is_too_old_is_told_with_what_was_found_and_what_is_wanted(installed):
    installed(mcp="1.30.0")

    error = missing_extra("mcp", "mcp", ModuleNotFoundError("No module named 'mcp_types'"))

    assert str(error) == (
        "mcp 1.30.0 is too old; the extra [mcp] wants mcp>=2.3,<3: "
        "run pip install '.[mcp]' in the checkout"
    )
    assert (error.package, error.extra, error.found, error.wanted) == (
        "mcp",
        "mcp",
        "1.30.0",
        ">=2.3,<3",
    )


def test_one_that_is_missing_and_one_that_is_broken_are_told_apart(installed):
    installed(mcp="2.3.0")
    broken = ImportError("cannot import name 'x'")

    assert "a2a-sdk is not installed; it is in" in str(missing_extra("a2a-sdk", "a2a", broken))
    assert "mcp 2.3.0 cannot be imported (cannot import name 'x'); the extra [mcp] wants" in str(
        missing_extra("mcp", "mcp", broken)
    )


def test_the_package_beside_it_that_is_too_old_is_named(installed):
    installed(mcp="2.3.0", uvicorn="0.20.0")

    assert "uvicorn 0.20.0 is too old" in str(missing_extra("mcp", "mcp", ImportError("x")))


def test_versions_are_checked_before_something_fails_and_a_missing_package_is_no_case(installed):
    installed(starlette="0.40.0", uvicorn="0.20.0")

    check_versions("serve", "starlette")
    check_versions("mcp", "mcp")
    with pytest.raises(MissingExtra, match=r"uvicorn 0\.20\.0 is too old; the extra \[serve\]"):
        check_versions("serve", "starlette", "uvicorn")


def test_what_was_found_out_already_is_told_as_it_is(installed):
    installed()
    told = MissingExtra("uvicorn", "serve", "0.1", ">=0.30", "is too old")

    assert missing_extra("starlette", "serve", told) is told


def test_the_ranges_are_those_of_the_extras():
    config = configparser.ConfigParser()
    config.read(source.ROOT / "setup.cfg")
    extras = config["options.extras_require"]

    for extra, wanted in WANTED.items():
        asked = (
            re.fullmatch(r"([\w-]+)(?:\[.*\])?(.*)", each)
            for each in extras[extra].strip().split("\n")
        )
        assert {each[1]: each[2] for each in asked} == wanted, extra
