"""The projects of `cosmo new`, each tested as its README says."""

KINDS = ("worker", "flask", "fastapi")
OPTIONS = ("-q", "-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function")


def test_the_test_of_each_project_passes(children, tmp_path):
    folders = {kind: tmp_path / f"my-{kind}" for kind in KINDS}
    for kind, folder in folders.items():
        assert children.cosmo("new", kind, folder).wait() == 0

    tests = {
        kind: children.start("-m", "pytest", *OPTIONS, cwd=folder, merge_stderr=True)
        for kind, folder in folders.items()
    }

    for kind, test in tests.items():
        assert test.wait() == 0, test.said
        assert f"{2 + (kind != 'worker')} passed" in test.said


def test_the_neuron_of_a_project_answers(children, tmp_path, url, namespace):
    where = {"COSMO_URL": url, "COSMO_NAMESPACE": namespace}
    assert children.cosmo("new", "worker", tmp_path / "loud").wait() == 0
    worker = children.cosmo("worker", "app", env=where, cwd=tmp_path / "loud", merge_stderr=True)
    worker.line("cosmo worker: serving loud")

    asked = children.cosmo("dispatch", "loud", "hello", env=where)

    assert asked.wait() == 0
    assert '"HELLO"' in asked.said
