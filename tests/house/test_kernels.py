"""The kernels: each function exists in plain Python and in Cython, and the Cython stays small."""

import ast

import pytest

from house import source

KERNELS = ("zmq_transport.kernel", "cosmonapse.kernel")
# What the Cython of a kernel shares; it has no twin.
SHARED = {"buffer", "ids", "octets", "values"}
CYTHON_LINES = 400


def cython_files(kernel):
    folder = source.module_paths()[kernel].parent
    return [path for path in sorted(folder.iterdir()) if path.suffix in {".pxi", ".pyx"}]


def imported_from(kernel, module):
    """Return the names that a kernel takes from its compiled module, or from the others."""
    nodes = source.nodes_of(source.module_paths()[kernel].read_text())
    found = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 1]
    return {
        alias.name
        for node in found
        for alias in node.names
        if (node.module == "_compiled") == (module == "_compiled")
    }


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_takes_all_its_functions_from_c_or_none(kernel):
    plain = {name for name in imported_from(kernel, "plain") if not name.isupper()}

    assert plain == imported_from(kernel, "_compiled")


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_cython_of_a_module_stands_beside_it(kernel):
    files = cython_files(kernel)

    assert len(files) > 3
    assert not [
        path.name
        for path in files
        if path.suffix == ".pxi"
        and path.stem not in SHARED
        and not path.with_suffix(".py").is_file()
    ]


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_file_of_cython_is_longer_than_its_wall(kernel):
    lines = {path.name: len(path.read_text().splitlines()) for path in cython_files(kernel)}

    assert not {name: count for name, count in lines.items() if count > CYTHON_LINES}
