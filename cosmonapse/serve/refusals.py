"""The body of a refusal in the form of the face that it was meant for. Pure."""

from __future__ import annotations

from ..edge.outcomes import to_json
from .admission import Refusal

_OPENAI = "/v1/"
_OPENAI_CODES = {"UNAUTHORIZED": "invalid_api_key"}


def body_of(path: str, refusal: Refusal) -> bytes:
    """Return the body, as JSON; empty if the refusal has no text.

    Args:
        path: Of the request: what begins with /v1/ is OpenAI's.
        refusal: What is refused, and why.
    """
    if not refusal.text:
        return b""
    if path.startswith(_OPENAI):
        kind = "invalid_request_error" if refusal.status < 500 else "server_error"
        code = _OPENAI_CODES.get(refusal.code, refusal.code)
        error = {"message": refusal.text, "type": kind, "param": None, "code": code}
        return to_json({"error": error})
    told = {"error": refusal.text, "code": refusal.code, "retry": refusal.may_retry}
    return to_json({**told, "trace_id": None})
