#!/usr/bin/env bash
# Guess:  NO_PROXY=10.0.0.0/8 keeps requests for 10.1.2.3 away from the proxy, as with curl and requests.
#         httpx looks at such entries: it cuts the length off to see that an address is before it.
# Truth:  An IPv4 range is accepted without a word and means its first address alone: the request goes to
#         the proxy. An IPv6 range, or an address in brackets, raises InvalidURL when a client is made,
#         for requests to any host.
# Matters: A worker behind a corporate proxy sends requests for an internal model server,
#         to the proxy. Or each client fails with "Invalid port", which names no variable.
# Seen:   httpx 0.28.1, requests 2.32.5: with 10.0.0.0/8 httpx asks the proxy and requests asks the host.
#         fe80::/10 and [::1] raise InvalidURL in httpx, and requests reads past them.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check httpx==0.28.1 requests==2.32.5

"$folder/venv/bin/python" - <<'PYTHON'
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import requests

seen = []


class Proxy(BaseHTTPRequestHandler):
    def do_GET(self):
        seen.append(self.path)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
threading.Thread(target=server.serve_forever, daemon=True).start()
for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["HTTP_PROXY"] = f"http://127.0.0.1:{server.server_port}"
print("httpx", httpx.__version__, "requests", requests.__version__)


def asked_by_httpx(no_proxy, url):
    os.environ["NO_PROXY"] = no_proxy
    seen.clear()
    try:
        httpx.get(url, timeout=0.5)
    except httpx.TransportError:
        pass  # no proxy was asked, and nobody has that address here
    except httpx.InvalidURL as exc:
        return f"InvalidURL: {exc}"
    return "the proxy" if seen else "the host"


def asked_by_requests(no_proxy, url):
    os.environ["NO_PROXY"] = no_proxy
    return "the proxy" if requests.utils.get_environ_proxies(url) else "the host"


CASES = [
    ("10.1.2.3", "http://10.1.2.3/", "the host", "the host"),
    ("10.0.0.0/8", "http://10.1.2.3/", "the proxy", "the host"),
    ("fe80::/10", "http://10.1.2.3/", "InvalidURL: Invalid port: ':'", "the proxy"),
    ("[::1]", "http://10.1.2.3/", "InvalidURL: Invalid port: ':1]'", "the proxy"),
]
same = True
for no_proxy, url, *expected in CASES:
    got = [asked_by_httpx(no_proxy, url), asked_by_requests(no_proxy, url)]
    same = same and got == expected
    print(f"NO_PROXY={no_proxy:11} {url:17} httpx asks {got[0]!r}, requests would ask {got[1]!r}")
sys.exit(0 if same else 1)
PYTHON
