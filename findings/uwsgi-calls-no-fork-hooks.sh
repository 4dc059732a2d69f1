#!/usr/bin/env bash
# Guess:  In each worker of a Python web server that forks, the functions of os.register_at_fork(...,
#         after_in_child=...) have run, as after os.fork().
# Truth:  uWSGI forks in C and does not tell Python: none of them runs in any worker, with or without
#         --enable-threads. It seeds the module random anew by itself, so that looks all right. Only the
#         option --py-call-osafterfork makes Python notice.
# Matters: A library that renews ids, locks or connections in such a function does not do so there. Ours
#         made equal ids in all workers. Compare os.getpid() with that of the import instead.
# Seen:   uWSGI 2.0.31, Python 3.11: 0 calls in each of four workers, 1 with --py-call-osafterfork.
set -euo pipefail

folder=$(mktemp -d)
server=
trap 'rm -rf "$folder"; [ -z "$server" ] || kill "$server"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check uwsgi==2.0.31

cat > "$folder/app.py" <<'PYTHON'
import os

calls = []
os.register_at_fork(after_in_child=lambda: calls.append(os.getpid()))


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {len(calls)}".encode()]
PYTHON

seen() { # the calls in each of four workers, with the options given
    "$folder/venv/bin/uwsgi" --http-socket 127.0.0.1:0 --master --processes 4 --die-on-term --disable-logging \
        --virtualenv "$folder/venv" --chdir "$folder" --module app "$@" > "$folder/log" 2>&1 &
    server=$!
    "$folder/venv/bin/python" - "$folder/log" <<'PYTHON'
import re
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

until = time.monotonic() + 20
while not (found := re.search(r"bound to TCP address (\S+:\d+)", open(sys.argv[1]).read())):
    assert time.monotonic() < until, "uWSGI did not start"
    time.sleep(0.05)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
workers = {}
with ThreadPoolExecutor(8) as pool:
    while len(workers) < 4 and time.monotonic() < until:
        for text in pool.map(lambda _: opener.open(f"http://{found[1]}/").read().decode(), range(16)):
            process, calls = text.split()
            workers[process] = calls
print(*workers.values())
PYTHON
    kill "$server" && wait "$server" || true
    server=
}

"$folder/venv/bin/uwsgi" --version
plain=$(seen)
threads=$(seen --enable-threads)
told=$(seen --py-call-osafterfork)
echo "calls in each worker: $plain; with --enable-threads: $threads; with --py-call-osafterfork: $told"
[[ $plain == "0 0 0 0" && $threads == "0 0 0 0" && $told == "1 1 1 1" ]]
