"""Every manner in which the stand-in provider answers a request, good or bad."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from functools import partial
from types import MappingProxyType

from .chat_handler import JSON_TYPE, STREAM_TYPE, ChatRequestHandler
from .dialects import STRICT_KEYS, TOOL, Chat, Document, StrictChat, first_tool

Manner = Callable[[ChatRequestHandler], None]

CRASH = "the model crashed"
SCRIPTED_CALLS = "tool-calls"
CHARACTER = "🐎"
LARGE_EVENT_CHARS = 3 << 20

_REFUSALS: Mapping[str, Document] = MappingProxyType(
    {
        "400": {"message": "max_tokens is too large"},
        "401": {"error": "Invalid username or password."},
        "404": {"detail": "no such model"},
        "429": {"error": {"message": "Rate limit reached", "type": "rate_limit"}},
        "500": {"error": {"message": "The model crashed"}},
        "503": {"error": "Model is loading", "estimated_time": 20.0},
        "529": {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
    }
)


# -- good answers --------------------------------------------------------------------------------


def _answer(request: ChatRequestHandler) -> None:
    if "inputs" in request.asked:
        request.send_json(200, [{"generated_text": "".join(request.tokens)}])
    elif request.is_streamed:
        _stream(request)
    else:
        _answer_plainly(request)


def _answer_plainly(request: ChatRequestHandler, reason: str = "stop") -> None:
    request.send_json(200, request.dialect.plain("".join(request.tokens), reason))


def _answer_strictly(request: ChatRequestHandler) -> None:
    """Answer as usual, but refuse undocumented keys, as some providers do."""
    unknown = sorted(request.asked.keys() - STRICT_KEYS)
    request.dialect = StrictChat(request.asked)
    if unknown:
        request.send_json(422, {"message": {"detail": f"extra inputs: {unknown}"}})
    else:
        _answer(request)


def _stream(request: ChatRequestHandler, reason: str = "stop", delay_s: float = 0.0) -> None:
    request.start_stream()
    for token in request.tokens:
        if delay_s and request.owner.closing.wait(delay_s):
            request.hang_up()
            return
        request.send_token(token)
    request.finish_stream(reason)


def _answer_slowly(request: ChatRequestHandler) -> None:
    if request.is_streamed:
        _stream(request, delay_s=request.owner.delay_s)
    elif not request.owner.closing.wait(request.owner.delay_s * len(request.tokens)):
        _answer(request)


def _reason(request: ChatRequestHandler, key: str = "reasoning") -> None:
    """Stream two pieces of reasoning, the answer, and one more piece of reasoning."""
    if isinstance(request.dialect, Chat):
        request.dialect.reasoning_key = key
    if not request.is_streamed:
        _reason_plainly(request)
        return
    request.start_stream()
    for text in ("Hm, ", "so."):
        request.send_events(*request.dialect.reasoning(text))
    for token in request.tokens:
        request.send_token(token)
    request.send_events(*request.dialect.reasoning(" Done."))
    request.finish_stream("stop")


def _reason_plainly(request: ChatRequestHandler) -> None:
    """Send a whole answer with reasoning, whatever was requested."""
    document = request.dialect.plain("".join(request.tokens))
    if isinstance(request.dialect, Chat):
        document["choices"][0]["message"][request.dialect.reasoning_key] = "Hm, so."
    else:
        document["content"].insert(0, {"type": "thinking", "thinking": "Hm, so."})
    request.send_json(200, document)


def _answer_sparsely(request: ChatRequestHandler) -> None:
    """Send comments, and events that hold nothing, between all tokens."""
    request.start_stream()
    for token in request.tokens:
        request.send_bytes(b": PROCESSING\n\n:\n\nid: 7\nretry: 10\n\nevent: ping\n\n")
        request.send_events(*request.dialect.sparse())
        request.send_token(token)
    request.finish_stream("stop")


def _send_large_event(request: ChatRequestHandler) -> None:
    """Send one token of 3 MiB."""
    request.start_stream()
    request.send_token("x" * LARGE_EVENT_CHARS)
    request.finish_stream("stop")


def _split_character(request: ChatRequestHandler) -> None:
    """Send the halves of a character beyond 16 bits as two tokens."""
    request.start_stream()
    for half in json.dumps(CHARACTER)[1:7], json.dumps(CHARACTER)[7:13]:
        event = json.dumps(request.dialect.token("?")).replace("?", half)
        request.send_events(event)
    request.finish_stream("stop")


def _split_bytes(request: ChatRequestHandler) -> None:
    """Send the bytes of a character one by one as tokens, in events of invalid UTF-8."""
    request.start_stream()
    for byte in CHARACTER.encode():
        event = json.dumps(request.dialect.token("?")).encode()
        request.send_bytes(b"data: %b\n\n" % event.replace(b"?", bytes([byte])))
    request.finish_stream("stop")


def _half_character(request: ChatRequestHandler) -> None:
    """Send the first half of a character twice, and never the second one."""
    request.start_stream()
    half = json.dumps(CHARACTER)[1:7]
    for text in (half, f"a{half}"):
        request.send_events(json.dumps(request.dialect.token("?")).replace("?", text))
    request.finish_stream("stop")


# -- answers under a wrong header ----------------------------------------------------------------


def _stream_as_json(request: ChatRequestHandler) -> None:
    """Stream, whatever was requested, and call it JSON."""
    request.start_stream(JSON_TYPE)
    for token in request.tokens:
        request.send_token(token)
    request.finish_stream("stop")


def _send_json_as_stream(request: ChatRequestHandler) -> None:
    """Send a whole answer and call it a stream."""
    document = request.dialect.plain("".join(request.tokens))
    request.send_body(200, STREAM_TYPE, json.dumps(document).encode())


# -- ends ----------------------------------------------------------------------------------------


def _end_for(request: ChatRequestHandler, reason: str) -> None:
    """Answer, and end for a reason other than `stop`."""
    if request.is_streamed:
        _stream(request, reason)
    else:
        _answer_plainly(request, reason)


def _end_without_text(request: ChatRequestHandler, reason: str) -> None:
    """End for a reason without any text before it."""
    request.tokens = []
    if not request.is_streamed:
        _answer_plainly(request, reason)
        return
    request.start_stream()
    if reason == "refusal":
        request.send_events(*request.dialect.refusal())
    request.finish_stream(reason)


# -- calls of tools ------------------------------------------------------------------------------


def _call_tools(request: ChatRequestHandler) -> None:
    """Say the text of the script, and call its tools; without one `get_weather` with nothing."""
    calls = request.calls or [request.new_call(TOOL, "{}")]
    tokens = [each for each in request.tokens if each] if request.calls else []
    if not request.is_streamed:
        text = "".join(tokens)
        request.send_json(200, request.dialect.plain(text, "tool_calls", calls))
        return
    request.start_stream()
    for token in tokens:
        request.send_token(token)
    request.send_events(*request.dialect.tool_calls(calls))
    request.finish_stream("tool_calls")


def _call_without_end(request: ChatRequestHandler, is_varied: bool) -> None:
    """Call the first tool of the request, each time with the same arguments or with others."""
    given = {"n": len(request.owner.requests)} if is_varied else {}
    request.calls = [request.new_call(first_tool(request.asked), json.dumps(given))]
    request.tokens = []
    _call_tools(request)


def _cut_off(request: ChatRequestHandler) -> None:
    """Send two tokens, or half a plain answer, and hang up."""
    if request.is_streamed:
        request.start_stream()
        for token in request.tokens[:2]:
            request.send_token(token)
    else:
        request.send_head(200, JSON_TYPE, 1000)
        request.wfile.write(b'{"choices": [')
    request.hang_up()


def _end_early(request: ChatRequestHandler) -> None:
    """End the stream in good form, but without a reason and the last event."""
    request.start_stream()
    request.send_token(request.tokens[0])
    request.end_stream()


def _end_without_reason(request: ChatRequestHandler) -> None:
    """Send the whole answer and the last event, but no reason."""
    request.start_stream()
    for token in request.tokens:
        request.send_token(token)
    request.send_events(*request.dialect.last)
    request.end_stream()


def _end_without_done(request: ChatRequestHandler) -> None:
    request.start_stream()
    for token in request.tokens:
        request.send_token(token)
    request.send_events(*request.dialect.finish("length"))
    request.end_stream()


def _end_without_blank_line(request: ChatRequestHandler) -> None:
    """Send everything, but not the empty line that completes the last event."""
    request.start_stream()
    for token in request.tokens:
        request.send_token(token)
    *events, last = request.dialect.finish("stop")
    request.send_events(*events)
    request.send_bytes(f"data: {json.dumps(last)}".encode())
    request.end_stream()


def _stay_open(request: ChatRequestHandler, with_last: bool) -> None:
    """Send a whole answer, with its last event or without, and stay connected."""
    request.start_stream()
    request.send_token("all")
    request.send_events(*request.dialect.finish("stop"))
    if with_last:
        request.send_events(*request.dialect.last)
    request.owner.closing.wait()
    request.hang_up()


# -- errors --------------------------------------------------------------------------------------


def _fail_in_stream(request: ChatRequestHandler) -> None:
    request.start_stream()
    request.send_token(request.tokens[0])
    request.send_events(request.dialect.error(f"overloaded, key was {request.key}"))
    request.end_stream()


def _fail_by_bytes(request: ChatRequestHandler, stray: bytes) -> None:
    """Send a token and then an error in a form of its own, and end the stream in good form."""
    request.start_stream()
    request.send_token(request.tokens[0])
    request.send_bytes(stray)
    request.end_stream()


def _fail_at_once(request: ChatRequestHandler, body: bytes) -> None:
    """Send an error under status 200 and call it a stream."""
    request.send_body(200, STREAM_TYPE, body)


def _stream_nonsense(request: ChatRequestHandler) -> None:
    request.start_stream()
    request.send_token(request.tokens[0])
    request.send_events('{"choices": [{"delta"')
    request.end_stream()


def _send_malformed(request: ChatRequestHandler) -> None:
    request.send_body(200, JSON_TYPE, b'{"choices": [{"mess')


def _send_page(request: ChatRequestHandler) -> None:
    request.send_body(200, "text/html", b"<html>Please log in</html>")


def _echo_key(request: ChatRequestHandler) -> None:
    """Refuse and repeat the key, as careless providers do."""
    request.send_json(401, {"error": f"bad credentials: {request.key}"})


def _redirect(request: ChatRequestHandler) -> None:
    location = f"https://elsewhere.example{request.path}?token=secret"
    request.send_body(307, "text/plain", b"", location=location)


def _refuse(request: ChatRequestHandler, name: str) -> None:
    wait = str(request.owner.retry_after_s)
    headers = {"retry_after": wait} if name == "429" else {}
    request.send_json(int(name), _REFUSALS[name], **headers)


def _refuse_until_a_date(request: ChatRequestHandler) -> None:
    """Refuse, and say by a date when to come back."""
    date = formatdate(time.time() + request.owner.retry_after_s, usegmt=True)
    request.send_json(429, _REFUSALS["429"], retry_after=date)


_ERROR = json.dumps({"error": {"message": CRASH, "type": "server_error"}}).encode()
_ERROR_LINES = json.dumps({"error": {"message": CRASH, "type": "server_error"}}, indent=2).encode()

BEHAVIOURS: Mapping[str, Manner] = MappingProxyType(
    {
        "ok": _answer,
        "slow": _answer_slowly,
        "plain": _answer_plainly,
        "strict": _answer_strictly,
        "reasoning": _reason,
        "reasoning-content": partial(_reason, key="reasoning_content"),
        "json-reasoning": _reason_plainly,
        "sparse": _answer_sparsely,
        "large-event": _send_large_event,
        "split-character": _split_character,
        "split-bytes": _split_bytes,
        "half-character": _half_character,
        "stream-as-json": _stream_as_json,
        "json-as-stream": _send_json_as_stream,
        "length": partial(_end_for, reason="length"),
        "filtered": partial(_end_for, reason="content_filter"),
        "error-reason": partial(_end_for, reason="error"),
        "empty-reason": partial(_end_for, reason=""),
        "filtered-empty": partial(_end_without_text, reason="content_filter"),
        "refusal": partial(_end_without_text, reason="refusal"),
        SCRIPTED_CALLS: _call_tools,
        "tool-loop": partial(_call_without_end, is_varied=False),
        "tool-loop-varied": partial(_call_without_end, is_varied=True),
        "cut-off": _cut_off,
        "ends-early": _end_early,
        "done-only": _end_without_reason,
        "no-done": _end_without_done,
        "no-blank-line": _end_without_blank_line,
        "stays-open": partial(_stay_open, with_last=True),
        "stays-open-without-done": partial(_stay_open, with_last=False),
        "error-in-stream": _fail_in_stream,
        "error-event": partial(
            _fail_by_bytes, stray=b'event: error\ndata: {"message": "%b"}\n\n' % CRASH.encode()
        ),
        "error-event-text": partial(
            _fail_by_bytes, stray=b"event: error\ndata: %b\n\n" % CRASH.encode()
        ),
        "json-in-stream": partial(_fail_by_bytes, stray=b"%b\n" % _ERROR_LINES),
        "json-line-in-stream": partial(_fail_by_bytes, stray=_ERROR),
        "text-in-stream": partial(_fail_by_bytes, stray=CRASH.encode()),
        "json-for-stream": partial(_fail_at_once, body=_ERROR),
        "text-for-stream": partial(_fail_at_once, body=CRASH.encode()),
        "nonsense-in-stream": _stream_nonsense,
        "malformed": _send_malformed,
        "page": _send_page,
        "echo-key": _echo_key,
        "redirect": _redirect,
        "429-date": _refuse_until_a_date,
        **{name: partial(_refuse, name=name) for name in _REFUSALS},
    }
)
"""The functions that answer a request, by name."""
