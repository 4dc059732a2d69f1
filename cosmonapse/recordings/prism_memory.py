"""The past of a namespace, as a Prism remembers it: nothing else in a fabric stores Signals."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from ..doppler.signal_filter import Past
from .lines import LONGEST_LINE, Header, Heard, NoRecording, read_header, read_line
from .whole_lines import WholeLines

DEFAULT_PRISM = "http://127.0.0.1:7071"
_TIMEOUT_S = 5.0
_CHUNK_BYTES = 256 * 1024
_MOST_BYTES = 512 * 1024 * 1024


class NoMemory(Exception):
    """No Prism tells the past; the text says why, and what to do."""


def past_of(prism_url: str, namespace: str, url: str) -> Past:
    """Return the Signals that a Prism remembers, each with its time of arrival, the oldest first.

    Args:
        prism_url: Its address, as it printed it: with its token, if it has one.
        namespace: The namespace that it must show.
        url: The URL of the Synapse that it must show.

    Raises:
        NoMemory: There is no such Prism, or it shows something else.
    """
    address = _address_of(prism_url)
    shown = f"{address.scheme}://{address.netloc}"
    try:
        return _read(address, _checked(shown, namespace, url))
    except NoRecording as error:
        raise NoMemory(f"{shown} does not tell the past: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        is_odd = isinstance(error, http.client.HTTPException)
        reason = "who listens there speaks no HTTP" if is_odd else _reason_of(error)
        raise NoMemory(
            f"nothing earlier is known: no Prism answers at {shown} ({reason}). Nothing else "
            "remembers Signals: run 'cosmo prism' beside it, or name one with --from"
        ) from None


def _reason_of(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _address_of(prism_url: str) -> SplitResult:
    try:
        address = urlsplit(prism_url if "//" in prism_url else f"http://{prism_url}")
        port = address.port
    except ValueError:
        address, port = urlsplit(""), None
    if address.scheme != "http" or not address.hostname or port == 0:
        raise NoMemory(f"--from must be the address of a Prism, such as {DEFAULT_PRISM}")
    return address


def _checked(shown: str, namespace: str, url: str) -> Callable[[Header], None]:
    """Return what refuses a Prism that shows something else."""

    def check(header: Header) -> None:
        if (header.namespace, header.url) != (namespace, url):
            raise NoMemory(
                f"nothing earlier is known: the Prism at {shown} shows {header.namespace!r:.80} at "
                f"{header.url!r:.200}. Name the right one with --from"
            )

    return check


def _read(address: SplitResult, check: Callable[[Header], None]) -> Past:
    token = parse_qs(address.query).get("token")
    headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
    connection = http.client.HTTPConnection(
        str(address.hostname), address.port or 80, timeout=_TIMEOUT_S
    )
    try:
        connection.request("GET", "/api/recording", headers=headers)
        answer = connection.getresponse()
        if answer.status == http.client.UNAUTHORIZED:
            raise NoMemory(
                f"the Prism at {address.hostname}:{address.port or 80} wants its token: give the "
                "address that it printed, by --from or in COSMO_PRISM"
            )
        if answer.status != http.client.OK:
            raise NoRecording(f"it answers {answer.status}")
        lines = WholeLines(LONGEST_LINE).of(_chunks(answer))
        check(read_header(next(lines, b"")))
        found = (read_line(each) for each in lines)
        return [(each.at_ts, each.observed) for each in found if isinstance(each, Heard)]
    finally:
        connection.close()


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    left = _MOST_BYTES
    while left > 0 and (chunk := answer.read1(_CHUNK_BYTES)):
        left -= len(chunk)
        yield chunk
