"""The page about workers inside a service: each of its programs, under its real server."""

import configparser
import signal
import socket
import time
from urllib.parse import urlsplit

import pytest

from cosmonapse import BlockingDendrite
from cosmonapse.worker_runner.supervisor import KILL_AFTER_S
from house import pages
from support.processes import Children
from support.servers import gunicorn, uvicorn, uwsgi, uwsgi_server

URL = "cosmo://127.0.0.1:7070"
# A command of a console is checked by tests/house, and those of the runner by its own tests.
PAGE = [
    block.code for block in pages.blocks(pages.DOCS / "workers.md") if block.language != "console"
]
NAMESPACE = "api-demo"
SETTINGS = """
SECRET_KEY = "test"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "neurons"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": "{0}/db.sqlite3"}}}}
USE_TZ = True
"""
CELERY = """
broker_url = "filesystem://"
broker_transport_options = {{
    "data_folder_in": "{0}/queue",
    "data_folder_out": "{0}/queue",
    "control_folder": "{0}/control",
}}
result_backend = "file://{0}/results"
broker_connection_retry_on_startup = True
"""
TIMEOUT_S = 20.0
needs_uwsgi = pytest.mark.skipif(uwsgi() is None, reason="uWSGI could not be built here")


def block_of(name):
    """Return the block of the page whose first line names a file."""
    (code,) = [code for code in PAGE if code.splitlines()[0] == f"# {name}"]
    return code


@pytest.fixture(scope="module")
def fabric():
    with Children() as children:
        _, url = children.synapse("--namespace", NAMESPACE)
        with BlockingDendrite(url, namespace=NAMESPACE, dendrite_id="caller") as caller:
            yield url, caller


@pytest.fixture
def caller(fabric):
    return fabric[1]


@pytest.fixture
def save(tmp_path, fabric):
    """Save blocks of the page, and more files, in a folder; return it."""

    def saved(*names, **more):
        texts = {name: block_of(name).replace(URL, fabric[0]) for name in names}
        texts |= {f"{name}.py": text.format(tmp_path) for name, text in more.items()}
        for name, text in texts.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return saved


def wait_for(caller, neuron, processes):
    """Wait until so many processes serve a Neuron."""
    end_s = time.monotonic() + TIMEOUT_S
    while len([each for each in caller.find_neurons() if each.neuron_id == neuron]) != processes:
        assert time.monotonic() < end_s, caller.find_neurons()
        time.sleep(0.01)


def check_shouts(caller, processes):
    """Wait until so many processes serve "shout", and ask it."""
    wait_for(caller, "shout", processes)

    assert caller.ask(neuron="shout", input={"prompt": "hi"}) == {"response": "HI"}


def check_ends(caller, child, number=signal.SIGTERM):
    """Send a signal; what the process hosted is gone before it is."""
    child.send(number)
    child.wait()

    assert caller.find_neurons() == []


def test_the_worker_runner_hosts_a_decorated_function(caller, save, children, fabric):
    folder = save("app.py")
    options = ("--workers", "2", "--reload", "--url", fabric[0], "-n", NAMESPACE)
    runner = children.cosmo("worker", "app", *options, cwd=folder, merge_stderr=True)

    runner.line("cosmo worker: serving shout")

    check_shouts(caller, 2)
    check_ends(caller, runner)


def test_the_unit_of_the_runner_waits_for_its_end():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(block_of("/etc/systemd/system/app.service"))

    assert unit["Service"]["ExecStart"].split()[1:] == ["worker", "app", "--workers", "2"]
    assert int(unit["Service"]["TimeoutStopSec"]) > 10 + KILL_AFTER_S


def test_a_process_of_its_own(caller, save, children):
    worker = children.start(save("worker.py") / "worker.py")

    check_shouts(caller, 1)
    check_ends(caller, worker)


def test_the_unit_of_systemd_starts_that_process_and_waits_for_its_end():
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read_string(block_of("/etc/systemd/system/shout.service"))

    service = unit["Service"]
    assert service["ExecStart"].split()[1:] == ["worker.py"]
    assert int(service["TimeoutStopSec"]) > 10  # what `stop` drains by default
    assert service["ExecStart"].startswith(service["WorkingDirectory"])


def test_fastapi_hosts_in_each_process(caller, save, children):
    folder = save("fastapi_app.py")
    server = uvicorn(children, folder / "fastapi_app:app", "--workers", "2", env={})

    check_shouts(caller, 2)
    check_ends(caller, server)


def test_flask_by_itself_hosts_from_its_start(caller, save, children):
    folder = save("flask_app.py")
    script = "import flask_app; flask_app.cosmo.start(); flask_app.app.run(port=0)"
    server = children.start("-c", script, env={"PYTHONPATH": str(folder)}, merge_stderr=True)

    check_shouts(caller, 1)
    # Its Neurons answer before Flask serves, and Flask expects a SIGINT only while it does.
    with socket.create_connection(
        ("127.0.0.1", urlsplit(server.line(" * Running on").text).port)
    ) as asked:
        asked.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert asked.recv(1)
    check_ends(caller, server, signal.SIGINT)


@pytest.mark.parametrize("options", [[], ["--preload"], ["-k", "gevent"]], ids=str)
def test_flask_under_gunicorn_hosts_in_each_worker(options, caller, save, children):
    folder = save("flask_app.py", "gunicorn.conf.py")
    config = ("--config", folder / "gunicorn.conf.py")
    server = gunicorn(children, folder / "flask_app:app", *config, *options, env={})

    check_shouts(caller, 2)
    check_ends(caller, server)


@needs_uwsgi
def test_flask_under_uwsgi_hosts_in_each_worker(caller, save, children):
    folder = save("flask_app.py", "uwsgi_app.py")
    options = ("--enable-threads", "--master", "-p", "2")
    server = uwsgi_server(children, folder / "uwsgi_app:application", *options, env={})

    check_shouts(caller, 2)
    check_ends(caller, server)


@needs_uwsgi
def test_uwsgi_without_threads_is_told_which_option_it_lacks(save, children):
    folder = save("flask_app.py", "uwsgi_app.py")

    server = uwsgi_server(children, folder / "uwsgi_app:application", "--master", env={})
    server.may_complain = True

    assert server.says("DendriteProtocolError: uWSGI runs no thread of Python between two requests")
    assert server.says("--enable-threads")


def test_a_command_of_django_serves_with_its_models(caller, save, children):
    folder = save("neurons/management/commands/serve_neurons.py", settings=SETTINGS)
    env = {"PYTHONPATH": str(folder), "DJANGO_SETTINGS_MODULE": "settings"}
    assert children.start("-m", "django", "migrate", env=env).wait() == 0

    server = children.start("-m", "django", "serve_neurons", env=env)
    wait_for(caller, "count-users", 1)

    assert caller.ask(neuron="count-users", input={}) == {"users": 0}
    check_ends(caller, server)


def test_each_process_of_celery_hosts_and_asks(caller, save, children):
    folder = save("tasks.py", celeryconfig=CELERY)
    for name in ("queue", "control", "results"):
        (folder / name).mkdir()
    env = {"PYTHONPATH": str(folder)}
    options = ("--concurrency", "2", "--loglevel", "WARNING", "--without-mingle")
    pool = children.start("-m", "celery", "-A", "tasks", "worker", *options, env=env)
    check_shouts(caller, 2)
    script = "import tasks; print(tasks.ask.delay('shout', 'hi').get(timeout=20))"

    asker = children.start("-c", script, env=env)

    assert asker.line("{").text == "'response': 'HI'}"
    check_ends(caller, pool)


def test_a_thread_beside_the_loop_of_a_service(caller, save, children):
    service = children.start(save("service.py") / "service.py")
    check_shouts(caller, 1)

    service.tell("work")

    assert service.line("service:").text == "work"
    service.hang_up()
    assert service.wait() == 0
    assert caller.find_neurons() == []


def test_no_block_of_the_page_is_left_out():
    assert len(PAGE) == 11
