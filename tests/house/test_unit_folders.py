"""The folders of the unit tests are those of what they test."""

from pathlib import Path

from house import source

UNIT = source.ROOT / "tests" / "unit"
# Tools that have unit tests beside those of the packages: folder -> where its code is.
TOOLS = {"bench": "tools/bench", "soak": "tools/soak"}
# Files of a room that test several of its modules together.
TOGETHER = ("bounds", "hot_path", "regressions", "vectors")


def home_of(folder: Path) -> Path:
    """Return the folder of the code that a folder of unit tests is about."""
    if folder.parts[0] == "zmq_transport":
        return Path(folder)
    return Path("cosmonapse") / folder


def test_every_folder_of_unit_tests_is_a_folder_of_code():
    folders = [each.relative_to(UNIT) for each in UNIT.rglob("*") if each.is_dir()]
    found = [each for each in folders if "__pycache__" not in each.parts]

    assert len(found) > 15
    assert not [
        str(each)
        for each in found
        if not (source.ROOT / home_of(each)).is_dir()
        and not (source.ROOT / TOOLS.get(str(each), "gone")).is_dir()
    ]


def test_every_unit_test_of_the_transport_is_named_after_its_module():
    tests = sorted((UNIT / "zmq_transport").rglob("test_*.py"))
    modules = {path: path.stem.removeprefix("test_") for path in tests}

    assert len(modules) > 20
    assert not [
        str(path.relative_to(UNIT))
        for path, module in modules.items()
        if not module.endswith(TOGETHER)
        and not (source.ROOT / path.relative_to(UNIT).with_name(f"{module}.py")).is_file()
    ]
