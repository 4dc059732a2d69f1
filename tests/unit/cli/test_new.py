"""`cosmo new` writes a project, and refuses a place that is taken."""

import json

import pytest

from cosmonapse.cli import run

KINDS = ("worker", "flask", "fastapi", "express")


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_has_code_a_test_and_a_readme_with_its_name_everywhere(kind, tmp_path, capsys):
    folder = tmp_path / "some" / "My app"

    assert run(["new", kind, str(folder)]) == 0

    texts = {each.name: each.read_text() for each in folder.iterdir()}
    assert {"README.md", ".gitignore"} < texts.keys()
    assert any("test" in name for name in texts)
    assert "{{" not in "".join(texts.values()).replace("{{}}", "")
    assert sum("My-app" in text for text in texts.values()) >= 2
    said = capsys.readouterr().out
    assert f"cd '{folder}'" in said
    assert all(name in said for name in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_commands_are_those_of_the_readme(kind, tmp_path, capsys):
    run(["new", kind, str(tmp_path), "--name", "echo"])

    commands = capsys.readouterr().out.partition("next:\n")[2].split("\n")[1:-1]
    readme = (tmp_path / "README.md").read_text()
    assert len(commands) == 5
    assert [each for each in commands if f"`{each.strip()}`" not in readme] == []


def test_as_json_it_says_what_it_made(tmp_path, capsys):
    assert run(["new", "worker", str(tmp_path), "--name", "echo", "--json"]) == 0

    facts = json.loads(capsys.readouterr().out)
    assert facts["files"] == sorted(each.name for each in tmp_path.iterdir())
    assert (facts["folder"], facts["name"]) == (str(tmp_path), "echo")
    assert facts["next"][0] == f"cd {tmp_path}"


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")

    assert run(["new", "worker", str(tmp_path)]) == 2

    assert "is not empty: name a folder that is new or empty" in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["worker", "{}/file/below"], "cannot make {}/file/below: "),
        (["worker", "{}/file"], "is a file"),
        (["worker", "{}/\u2603"], "is no name of a Neuron: add --name"),
        (["worker", "{}/new", "--name", "a b"], "name must be 1 to 128 characters"),
        (["django", "{}/new"], "'django' is not one of"),
    ],
)
def test_a_mistake_is_one_line(arguments, text, tmp_path, capsys):
    (tmp_path / "file").touch()

    assert run(["new", *(each.format(tmp_path) for each in arguments)]) == 2

    said = capsys.readouterr().err
    assert text.format(tmp_path) in said
    assert said.count("\n") == 1
    assert not (tmp_path / "new").exists()
