"""Real web servers for the examples, as child processes: gunicorn, uWSGI, uvicorn.

Each is started with the port 0 and says which one it got.
"""

import re
import shutil
import sys
from pathlib import Path

import httpx

from support.edge import TIMEOUT_S
from support.processes import ROOT

EXAMPLES = ROOT / "examples"
_EXEC = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
_LISTENS = ("Listening at: http://", "bound to TCP address ", "Uvicorn running on http://")


def uwsgi():
    """Return the path of uWSGI, or None where it could not be built."""
    return shutil.which("uwsgi", path=Path(sys.executable).parent)


def gunicorn(children, app, *options, env):
    """Start gunicorn; `app` is `folder/module:name` below `examples`, or an absolute path."""
    folder, name = _place(app)
    command = ("-m", "gunicorn", *options, "--bind", "127.0.0.1:0", "--no-control-socket")
    return _start(children, *command, "--chdir", folder, name, env=env)


def uwsgi_server(children, app, *options, env):
    folder, name = _place(app)
    command = ("-c", _EXEC, uwsgi(), "--http-socket", "127.0.0.1:0", "--die-on-term")
    place = ("--virtualenv", sys.prefix, "--chdir", folder, "--module", name)
    return _start(children, *command, *options, *place, env={"PYTHONPATH": str(ROOT), **env})


def uvicorn(children, app, *options, env):
    folder, name = _place(app)
    command = ("-m", "uvicorn", "--port", "0", *options, "--app-dir", folder, name)
    return _start(children, *command, env=env)


def client_to(child, *, timeout_s=TIMEOUT_S):
    """Return an HTTP client for a server, once it listens."""
    assert child.says("127.0.0.1:"), child.said
    addresses = [re.search(each + r"(127\.0\.0\.1:\d+)", child.said) for each in _LISTENS]
    if "Uvicorn" in child.said:  # it names its address before its workers listen
        assert child.says("Application startup complete"), child.said
    (address,) = [found.group(1) for found in addresses if found]
    # uWSGI closes every connection, and says so only to those who ask for it.
    headers = {"Connection": "close"} if "uWSGI" in child.said else {}
    # Uvicorn says that it has started a moment before its worker listens.
    transport = httpx.HTTPTransport(retries=5, trust_env=False)
    url = f"http://{address}"
    return httpx.Client(
        base_url=url, headers=headers, timeout=timeout_s, trust_env=False, transport=transport
    )


def _place(app):
    path, _, name = str(app).rpartition("/")
    return (EXAMPLES / path), name


def _start(children, *command, env):
    settings = {"NO_PROXY": "127.0.0.1", **env}
    return children.start(*command, env=settings, merge_stderr=True)
