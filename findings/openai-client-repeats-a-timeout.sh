#!/usr/bin/env bash
# Guess:  A 504 of a gateway reaches the program at once as an error: the request is a POST, which may have had
#         an effect, and nobody has asked for retries.
# Truth:  The client of OpenAI sends each request that ends with 408, 409, 429 or 5xx twice more, without a word
#         in the log. Only a header of the response prevents it for each by itself: `x-should-retry: false`.
# Matters: A model that is too slow by a little runs three times: three times the time and the price, and a tool
#         that it called has been called three times. A 409 that means a question is asked three times.
# Seen:   openai 3.57.0: 409, 503 and 504 reach the server 3 times each, with the header once; 400 once.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check openai==3.57.0

NO_PROXY=127.0.0.1 "$folder/venv/bin/python" - <<'PYTHON'
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

asked = Counter()


class Gateway(BaseHTTPRequestHandler):
    """Answers with the status that the model names, and perhaps with the header."""

    def do_POST(self):
        name = self.rfile.read(int(self.headers["content-length"])).decode()
        name = name.partition('"model":')[2].lstrip(' "').partition('"')[0]
        asked[name] += 1
        status, _, header = name.partition(" ")
        self.send_response(int(status))
        if header:
            self.send_header("x-should-retry", "false")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="any")
print("openai", openai.__version__)

expected = {"400": 1, "409": 3, "503": 3, "504": 3, "409 no": 1, "503 no": 1, "504 no": 1}
for model in expected:
    try:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "a"}])
    except openai.APIStatusError as error:
        header = ", x-should-retry: false" if " " in model else ""
        print(f"{error.status_code}{header}: the server was asked {asked[model]} times")
sys.exit(0 if dict(asked) == expected else 1)
PYTHON
