"""The Pythons that are tested: the README names those of the package, the oldest is required."""

import configparser
import re

from house.source import ROOT

SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")


def test_the_readme_names_the_pythons_of_the_package():
    classifiers = SETUP["metadata"]["classifiers"]
    versions = re.findall(r"Python :: (3\.\d+)$", classifiers, re.MULTILINE)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert f"Python {versions[0]} or newer" in readme
    assert f"{' and '.join(versions)} are tested" in readme
    assert SETUP["options"]["python_requires"] == f">={versions[0]}"
