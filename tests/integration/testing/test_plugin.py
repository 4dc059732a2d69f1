"""The plugin as users have it: another pytest, in another process, in a folder of its own."""

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

STRICT = ("-Werror", "-o", "asyncio_default_fixture_loop_scope=function")

LOOP_ENDS = """
import asyncio
import pytest

MADE = []


async def use(fabric):
    async def echo(input, context):
        return {"echo": input}

    MADE.append(await fabric.worker(echo))
    MADE.append(await fabric.dendrite())
    assert await MADE[-1].ask(neuron="worker", input=1) == {"echo": 1}


def test_on_a_loop_of_its_own(cosmo_fabric):
    asyncio.run(use(cosmo_fabric))


@pytest.mark.asyncio
async def test_with_pytest_asyncio(cosmo_fabric):
    await use(cosmo_fabric)


@pytest.mark.asyncio(loop_scope="session")
async def test_on_a_loop_that_outlives_the_test(cosmo_fabric):
    await use(cosmo_fabric)


def test_nobody_outlived_a_test():
    assert len(MADE) == 6
    assert [repr(each) for each in MADE if "stopped" not in repr(each)] == []
"""
OUTCOMES = """
import urllib.request
import pytest


@pytest.mark.asyncio
async def test_that_passes(cosmo_fabric):
    await cosmo_fabric.dendrite()


@pytest.mark.asyncio
async def test_that_fails(cosmo_fabric):
    caller = await cosmo_fabric.dendrite()
    await caller.ask(neuron="nobody", input={})


def test_with_sockets(cosmo_synapse, cosmo_chat_server):
    assert cosmo_synapse.url.startswith("cosmo://127.0.0.1:")
    assert cosmo_chat_server.url.startswith("http://127.0.0.1:")
"""
NEEDS_PYTEST = """
import sys
sys.modules["pytest"] = None
import cosmonapse
try:
    import cosmonapse.testing
except cosmonapse.MissingExtra as error:
    print(error)
"""
WHAT_IT_LOADS = """
import sys
import pytest, cosmonapse
before = set(sys.modules)
import cosmonapse.testing.plugin
print(*sorted(set(sys.modules) - before))
"""


def printed_by(program):
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return ended.stdout.splitlines()


def test_it_is_found_by_pytest_without_a_word_of_the_user():
    (found,) = entry_points(group="pytest11", name="cosmonapse")

    assert found.value == "cosmonapse.testing.plugin"


def test_a_user_gets_the_fixtures_and_the_failures(pytester):
    pytester.makepyfile(OUTCOMES)

    result = pytester.runpytest_subprocess(*STRICT)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*NeuronError: NO_SUCH_NEURON*"])


def test_nobody_outlives_a_test_whoever_runs_its_loop(pytester):
    pytester.makepyfile(LOOP_ENDS)

    result = pytester.runpytest_subprocess(*STRICT)

    result.assert_outcomes(passed=4)


def test_it_works_without_pytest_asyncio(pytester):
    pytester.makepyfile(
        """
        import asyncio

        def test_it(cosmo_fabric):
            async def ask():
                async def echo(input, context):
                    return {"echo": input}

                await cosmo_fabric.worker(echo)
                return await (await cosmo_fabric.dendrite()).ask(neuron="worker", input=1)

            assert asyncio.run(ask()) == {"echo": 1}
        """
    )

    result = pytester.runpytest_subprocess("-Werror", "-p", "no:asyncio", "-p", "no:anyio")

    result.assert_outcomes(passed=1)


def test_the_fixtures_are_listed_with_what_they_do(pytester):
    listed = pytester.runpytest_subprocess("--fixtures", "-p", "no:cacheprovider").stdout.str()

    missing = [
        name
        for name in ("cosmo_fabric", "cosmo_synapse", "cosmo_chat_server")
        if f"\n{name} -- " not in listed
    ]
    assert not missing


def test_without_pytest_one_line_names_the_extra():
    (line,) = printed_by(NEEDS_PYTEST)

    assert line.startswith("pytest is not installed; it is in the extra [test]:")


def test_the_plugin_loads_nothing_but_itself():
    (loaded,) = printed_by(WHAT_IT_LOADS)

    assert loaded.split() == ["cosmonapse.testing", "cosmonapse.testing.plugin"]


@pytest.mark.parametrize("name", ["ChatServer", "Fabric", "Recorded"])
def test_every_public_name_is_there_when_it_is_asked_for(name):
    (printed,) = printed_by(f"from cosmonapse.testing import {name}; print({name}.__name__)")

    assert printed == name


def test_a_name_that_is_not_there_is_told_as_usual():
    with pytest.raises(ImportError, match="cannot import name 'Fabrik'"):
        from cosmonapse.testing import Fabrik  # noqa: F401
