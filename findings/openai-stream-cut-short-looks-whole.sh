#!/usr/bin/env bash
# Guess:  A streamed completion that ends without its last events, a `finish_reason` and `[DONE]`, raises an error
#         in the client of OpenAI: both are there to say that the answer is whole.
# Truth:  The client takes the end of the response for the end of the answer. The loop over the stream ends as
#         always, and the text is half of one. Only an event with `error` raises, or a connection that breaks.
# Matters: A server or proxy that ends its responses in good order when it stops, as at a deployment, cuts
#         answers in the middle of a sentence, and neither side notices. A program must look for a finish_reason;
#         a server must send an error event before it ends a stream.
# Seen:   openai 3.57.0: "half" and no error after a clean end; APIError after an event with `error`.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check openai==3.57.0

NO_PROXY=127.0.0.1 "$folder/venv/bin/python" - <<'PYTHON'
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import openai

HALF = {
    "id": "a",
    "object": "chat.completion.chunk",
    "created": 1,
    "model": "any",
    "choices": [{"index": 0, "delta": {"content": "half"}, "finish_reason": None}],
}
ENDS = {"clean": [], "error": [{"error": {"message": "the server stops", "code": "stopped"}}]}


class Server(BaseHTTPRequestHandler):
    """Streams half of an answer, then what the model names, and ends the response in good order."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in [HALF, *ENDS[model]]:
            data = b"data: " + json.dumps(event).encode() + b"\n\n"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key="any")
print("openai", openai.__version__)


def read(model):
    text = ""
    messages = [{"role": "user", "content": "a"}]
    try:
        for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
            text += chunk.choices[0].delta.content
    except openai.APIError as error:
        return text, type(error).__name__
    return text, "no error"


seen = {model: read(model) for model in ENDS}
for model, (text, error) in seen.items():
    print(f"{model} end: {text!r}, {error}")
sys.exit(0 if seen == {"clean": ("half", "no error"), "error": ("half", "APIError")} else 1)
PYTHON
