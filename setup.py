"""Compile the kernels where there is a C compiler; what the package is stands in setup.cfg.

docs/design/decisions/0017-a-kernel-in-two-languages.md says why. `[tool.setuptools] ext-modules` of
pyproject.toml is experimental still, and could not put the C that Cython made into the sdist.
"""

import os
import runpy
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.sdist import sdist

number_of = runpy.run_path("zmq_transport/kernel_sources.py")["number_of"]
ROOMS = ("zmq_transport/kernel", "cosmonapse/kernel")


def compiled_module(room: str) -> Extension:
    """Return the compiled twin of the modules of `room`; an install goes on where it fails."""
    return Extension(
        name=f"{room.replace('/', '.')}._compiled",
        sources=[f"{room}/_compiled.pyx"],
        define_macros=[("COSMO_SOURCES", f"{number_of(Path(room))}ULL")],
        depends=sorted(path.as_posix() for each in ROOMS for path in Path(each).glob("*.pxi")),
        optional=True,
    )


class SdistWithC(sdist):
    """Whoever has the sdist needs a C compiler and no Cython."""

    def make_distribution(self) -> None:
        """Pack the C of every kernel too, made anew."""
        from Cython.Build import cythonize  # needed here only

        for module in cythonize(self.distribution.ext_modules, force=True, quiet=True):
            self.filelist.extend(module.sources)
        super().make_distribution()


# The choice of a running program holds for an install too: it then needs no compiler at all.
IS_PURE = os.environ.get("COSMO_PURE") == "1"
setup(
    cmdclass={"sdist": SdistWithC},
    ext_modules=[] if IS_PURE else [compiled_module(room) for room in ROOMS],
)
