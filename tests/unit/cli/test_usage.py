"""A user's mistakes at the verbs that join a fabric: one exit code, one text, no traceback."""

import click
import pytest

from cosmonapse.cli import fabric, run
from cosmonapse.cli.synapse import start
from cosmonapse.cli.task_input import input_of
from support.processes import closed_port

TASK = ["dispatch", "--neuron", "a", "--input", "{}"]


def usage(arguments, capsys):
    """Return what a call that is a mistake says."""
    code = run(arguments)

    said = capsys.readouterr()
    assert code == 2, said
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dispatch"], "name a neuron: cosmo dispatch NEURON"),
        (["synapse", "start", "--lan", "--host", "[::1]"], "--host ::1 is reached from this one"),
        (["synapse", "start", "--lan"], "--insecure"),
        (["find", "--timeout", "nan"], "nan"),
        (["dispatch", "--input", "{}"], "name a neuron"),
        ([*TASK, "--capabilities", "b"], "either a neuron or --capabilities"),
        (["dispatch", "--neuron", "a"], "the input is missing"),
        (["dispatch", "a"], "the input is missing"),
        (["dispatch", "a b", "c"], "must be 1 to 128 characters"),
        (["dispatch", "a", "two", "words"], "unexpected argument 'words': put a text"),
        (["dispatch", "a", "b", "--neuron", "c"], "unexpected argument 'b'"),
        (["dispatch", "--capabilities", "a", "b", "c"], "unexpected argument 'c'"),
        (["dispatch", "a", ""], "the input is empty"),
        (["dispatch", "a", "{no}"], "invalid JSON"),
        (["dispatch", "a", "[x] buy milk"], "use it as the prompt of such an object"),
        (["dispatch", "a", "@/no/such/file"], "cannot read '/no/such/file': No such file"),
        (["dispatch", "a", "@/dev"], "cannot read '/dev': Is a directory"),
        (["dispatch", "a", "--input", "@/no/such/file"], "No such file"),
        (["dispatch", "--neuron", "a", "--input", "{"], "invalid JSON"),
        (["dispatch", "--neuron", "a", "--input", ""], "invalid JSON"),
        (["dispatch", "--neuron", "a", "--input", "hello"], "such as"),
        ([*TASK, "--timeout", "soon"], "--timeout"),
        ([*TASK, "--nonsense"], "--nonsense"),
        ([*TASK, "surplus"], "surplus"),
        (["registry", "--nonsense"], "--nonsense"),
        (["answer", "--trace", "evt_1"], "not a trace id: give trc_ and 26"),
        (["answer", "--trace", "evt_" + 26 * "0"], "not a trace id: give trc_ and 26"),
        (["answer", "--trace", "\x1b[2J"], "not a trace id"),
        (["answer", "--trace", "trc_123"], "too short: give the 8 characters shown"),
        (["doppler", "--trace", "trc_123"], "too short: give the 8 characters shown"),
        (["doppler", "--since", "soon"], "expected such as 30s, 5m, 2h or 14:05, got 'soon'"),
        (["doppler", "--from", "http://h:1"], "--from is the Prism for --since"),
        (["doppler", "--failed", "--type", "TASK"], "--failed shows ERRORs"),
        (["doppler", "--replay", "f", "--since-start"], "not with --replay"),
        (["prism", "--speed", "2"], "give --replay FILE too"),
        (["record"], "Missing argument 'FILE'"),
        (["doppler", "--type", "EROR"], "did you mean ERROR? The types are AGENT_OUTPUT, BID"),
        (["bench"], "Choose from: fanout, latency, stream, throughput"),
        (["answer", "--timeout", "nan"], "nan"),
        (["answer", "--input", "{"], "invalid JSON"),
        (["nonsense"], "there is no verb 'nonsense' (see 'cosmo --help')"),
        (["registri"], "did you mean 'cosmo registry'?"),
        (["start"], "did you mean 'cosmo synapse start'?"),
        (["LIST"], "did you mean 'cosmo registry'?"),
        (["reply"], "Missing argument 'ID'"),
        (["reply", "a"], "Missing option '--exec'"),
        (["reply", "a b", "--exec", "cat"], "must be 1 to 128 characters"),
        (["reply", "a", "--exec", "cat", "--capability", "b c"], "must be 1 to 128 characters"),
        (["reply", "a", "--exec", "cat", "--concurrency", "0"], "--concurrency"),
        (["reply", "a", "--exec", ""], "--exec': it is empty"),
        (["new", "worker", ""], "DIR': it is empty"),
        (["registry", "--key", ""], "--key': it is empty"),
        (["doctor", "--key", ""], "--key': it is empty"),
        (["config", "show", "--key", ""], "--key': it is empty"),
        (["exec"], "did you mean 'cosmo reply'?"),
        (["stop", "writer"], "is not a trace id"),
        (["stop", "trc_abc"], "is too short"),
        (["emit", "paln"], "did you mean PLAN?"),
        (["emit", "task"], "a TASK is not published by hand: use 'cosmo dispatch'"),
        (["emit", "bidder"], "did you mean BID?"),
        (["emit", "stopped"], "a Dendrite sends it when it is due"),
        (["emit", "bid", "--payload", '{"cost": 1}'], "give --neuron ID"),
        (["emit", "plan"], "steps is missing"),
        (["emit", "plan", "--payload", '{"steps": [], "setps": []}'], "setps is unknown"),
        (["emit", "plan", "--payload", "[]"], "the payload must be a JSON object"),
        (["emit", "plan", "--payload", "{"], "invalid JSON"),
        (["emit", "plan", "--trace", "trc_1"], "--trace"),
        (["synapse", "strat"], "start"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_and_exits_with_2(arguments, says, capsys):
    said = usage(arguments, capsys)

    assert says in said
    assert "\\n" not in said
    assert "\\t" not in said


@pytest.mark.parametrize("given", ["@answer", "-"])
def test_bytes_that_are_no_text_are_told(given, capsys, tmp_path, monkeypatch):
    (tmp_path / "answer").write_bytes(b"\xff\xfe")
    monkeypatch.chdir(tmp_path)
    with (tmp_path / "answer").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert "is no text in UTF-8" in usage(["dispatch", "a", given], capsys)


@pytest.mark.parametrize(
    ("given", "input"),
    [
        ("Why is the sky blue?", {"prompt": "Why is the sky blue?"}),
        ("42", {"prompt": "42"}),
        ('"quoted"', {"prompt": '"quoted"'}),
        (' {"a": [1]} ', {"a": [1]}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_text_becomes_a_prompt_and_json_stays_what_it_is(given, input, tmp_path, monkeypatch):
    (tmp_path / "input").write_text(given + "\n")
    monkeypatch.chdir(tmp_path)

    assert input_of(given) == input_of("@input") == input
    with (tmp_path / "input").open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert input_of("-") == input


@pytest.mark.parametrize(
    "arguments",
    [
        ["worker", "hello"],
        ["--neuron", "worker", "hello"],
        ["worker", "--input", '{"prompt": "hello"}'],
        ["--capabilities", "chat", "hello"],
    ],
)
def test_neuron_and_input_may_stand_in_arguments_or_options(arguments, monkeypatch):
    sent = []

    async def wait(dendrite, task, whole):
        sent.append((task["neuron"], task["capabilities"], task["input"]))

    monkeypatch.setattr("cosmonapse.cli.dispatch._wait", wait)

    assert run(["dispatch", *arguments, "--url", "memory://usage"]) == 0
    by_capability = "--capabilities" in arguments
    address = (None, ["chat"]) if by_capability else ("worker", None)
    assert sent == [(*address, {"prompt": "hello"})]


@pytest.mark.parametrize("verb", [TASK, ["registry"]])
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("cosmo://", "it names no host"),
        ("cosmo://host:99999", "out of range"),
        ("cosmo://host:0", "port 0"),
        ("cosmo://host:x", "port"),
        ("http://host:7070", "'http' is unknown"),
        ("host:7070", "unknown"),
        ("", "no scheme"),
        ("memory://", "write memory:// and a name"),
        ("cosmo://host/a", "nothing may follow"),
    ],
)
def test_a_bad_url_is_told_with_its_bad_part(url, says, verb, capsys):
    said = usage([*verb, "--url", url], capsys)

    assert says in said
    assert len(said.splitlines()) == 1


def test_a_bad_url_in_the_environment_is_told_too(capsys, monkeypatch):
    monkeypatch.setenv("COSMO_URL", "http://host:7070")

    assert "'http' is unknown" in usage(TASK, capsys)


@pytest.mark.parametrize(
    "url", ["cosmo://me:s3cret@host", "http://me:s3cret@host", "cosmo://s3cret@host:99999"]
)
def test_a_password_in_a_url_is_masked(url, capsys):
    said = usage(["registry", "--url", url], capsys)

    assert "s3cret" not in said
    assert "***@host" in said


@pytest.mark.parametrize(
    "url", ["me:s3cret@host:7070", "memory://me:s3cret@host", "cosmo://me:s3cret/more@host"]
)
def test_a_password_in_what_is_hardly_a_url_is_masked_too(url, capsys):
    assert "s3cret" not in usage(["registry", "--url", url], capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["registry", "-n", "a/b"],
        ["registry", "--namespace", ""],
        ["answer", "--neuron", "a b"],
        ["dispatch", "--neuron", "a b", "--input", "{}"],
        ["dispatch", "--stream", "--neuron", "a b", "--input", "{}"],
        ["dispatch", "--neuron", "", "--input", "{}"],
        ["dispatch", "--capabilities", "a,,b", "--input", "{}"],
        ["dispatch", "--neuron", "\x1b[2J\x07", "--input", "{}"],
    ],
)
def test_what_is_no_name_is_told_and_exits_with_2(arguments, capsys):
    said = usage([*arguments, "--url", "memory://usage"], capsys)

    assert "must be 1 to 128 characters" in said
    assert said.strip().isprintable()


@pytest.mark.parametrize(
    "arguments",
    [
        [*TASK, "--timeout", "0"],
        [*TASK, "--timeout", "-1"],
        [*TASK, "--timeout", "nan"],
        [*TASK, "--timeout", "1e300"],
        ["dispatch", "--capabilities", "", "--input", "{}"],
        ["dispatch", "--neuron", "a", "--input", "[" * 100_000],
    ],
    ids=["0", "-1", "nan", "1e300", "no capability", "deep JSON"],
)
def test_a_value_that_makes_no_sense_is_told_and_exits_with_2(arguments, capsys):
    usage([*arguments, "--url", "memory://usage"], capsys)


@pytest.mark.parametrize("given", [r'"\ud800"', str(1 << 64)])
def test_json_that_no_signal_can_carry_is_a_mistake_too(given, capsys):
    arguments = ["dispatch", "--neuron", "a", "--input", given, "--url", "memory://usage"]

    assert "payload.input cannot be sent" in usage(arguments, capsys)


def test_nobody_there_exits_with_3_and_one_line(capsys):
    code = run([*TASK, "--url", "memory://usage"])

    said = capsys.readouterr()
    assert code == 3
    assert said.out == ""
    assert said.err.startswith("cosmo: NO_SUCH_NEURON: no live Axon serves neuron 'a'")


def test_an_empty_namespace_is_told_with_what_to_do(capsys):
    assert run(["registry", "--url", "memory://usage", "-n", "empty"]) == 0

    assert "no Axon is in namespace empty: start a worker" in capsys.readouterr().out


def test_an_empty_namespace_as_json_is_nothing_at_all(capsys):
    assert run(["registry", "--url", "memory://usage", "--json"]) == 0

    assert capsys.readouterr() == ("", "")


def test_nobody_listening_there_exits_with_3_and_what_to_run(capsys, monkeypatch):
    monkeypatch.setattr(fabric, "_CONNECT_S", 0.1)
    port = closed_port()

    assert run(["registry", "--url", f"cosmo://127.0.0.1:{port}"]) == 3

    (line,) = capsys.readouterr().err.splitlines()
    assert f"cosmo synapse start --port {port}" in line


def test_an_answer_desk_without_input_ends_at_once_and_well(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    assert run(["answer", "--url", "memory://usage"]) == 0
    assert capsys.readouterr() == ("", "waiting for questions in namespace default\n")


def test_an_answer_desk_reads_a_file_to_its_end(tmp_path, capsys, monkeypatch):
    given = tmp_path / "answers"
    given.write_text('{"id": "evt_1"}\nno JSON')

    with given.open() as answers:
        monkeypatch.setattr("sys.stdin", answers)
        code = run(["answer", "--json", "--url", "memory://usage"])

    assert code == 0
    assert [
        "no open question has this id" in line for line in capsys.readouterr().out.splitlines()
    ] == [
        True,
        False,
    ]


def test_nobody_asking_in_time_exits_with_4(capsys):
    assert run(["answer", "--grant", "--timeout", "0.05", "--url", "memory://usage"]) == 4

    assert capsys.readouterr().err.endswith("cosmo: no question within 0.05 s\n")


def test_a_name_that_is_none_is_told_before_anything_is_connected(capsys):
    arguments = ["dispatch", "--neuron", "a/b", "--input", "{}", "--url", "cosmo://127.0.0.1:9"]

    assert "neuron must be 1 to 128 characters" in usage(arguments, capsys)


@pytest.mark.parametrize(("begun", "offered"), [("z", ["zmtp"]), ("", ["zmtp", "libzmq"])])
def test_the_carrier_of_a_synapse_is_completed(begun, offered):
    option = next(each for each in start.params if each.name == "carrier")

    found = option.shell_complete(click.Context(start), begun)

    assert [each.value for each in found] == offered


@pytest.mark.parametrize("variable", [False, True])
def test_a_carrier_that_does_not_exist_is_a_mistake(variable, capsys, monkeypatch):
    monkeypatch.setenv("COSMO_CARRIER", "pigeon" if variable else "zmtp")

    said = usage(["synapse", "start", *([] if variable else ["--carrier", "pigeon"])], capsys)

    assert "carrier must be 'zmtp' or 'libzmq', not 'pigeon'" in said
    assert ("(it is in COSMO_CARRIER)" in said) is variable
