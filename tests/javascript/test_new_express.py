"""The project of `cosmo new express`, tested with the client of the checkout."""

import json
import os
import sys

from support.node import CLIENT
from support.processes import Children

PACKAGES = {"cosmonapse": CLIENT, "express": CLIENT / "node_modules" / "express"}


def test_the_test_of_the_project_passes(node, tmp_path):
    folder = tmp_path / "my-express"
    with Children() as children:
        assert children.cosmo("new", "express", folder).wait() == 0
        package = json.loads((folder / "package.json").read_text())
        assert package["dependencies"].keys() == PACKAGES.keys()
        named = package["dependencies"]["cosmonapse"].removeprefix("file:")
        assert (folder / named).resolve() == CLIENT
        (folder / "node_modules").mkdir()
        for name, home in PACKAGES.items():  # as `npm install` does it
            (folder / "node_modules" / name).symlink_to(home)
        cosmo = tmp_path / "cosmo"
        cosmo.write_text(f'#!/bin/sh\nexec {sys.executable} -m cosmonapse.cli "$@"\n')
        cosmo.chmod(0o755)
        path = os.pathsep.join([str(tmp_path), str(node.parent), os.environ["PATH"]])

        test = children.start(
            "--test", program=node, cwd=folder, env={"PATH": path}, merge_stderr=True
        )

        assert test.wait() == 0, test.said
        assert test.says("pass 3")
