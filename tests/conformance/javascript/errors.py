"""The errors of the JavaScript client as those of this package, which the suite expects."""

from cosmonapse import (
    AccessRefused,
    DendriteProtocolError,
    InvalidName,
    InvalidUrl,
    NeedsAnswer,
    NeuronError,
    SignalTooLarge,
    SynapseRefused,
    SynapseUnreachable,
    UnencodableValue,
)


class SubjectFailed(Exception):
    """An error of the subject that has no counterpart here; the text holds its stack."""


def _with_text(error, message):
    """Return an error that says what was said in JavaScript."""
    error.args = (message,)
    return error


_MADE = {
    "SynapseUnreachable": lambda f, m: _with_text(
        SynapseUnreachable(f["url"], f["reason"], f["hint"]), m
    ),
    "AccessRefused": lambda f, m: _with_text(AccessRefused(f["url"], f["reason"], f["fix"]), m),
    "SynapseRefused": lambda f, m: _with_text(SynapseRefused(f["url"], f["reason"]), m),
    "SignalTooLarge": lambda f, m: _with_text(SignalTooLarge(f["size"], f["limit"]), m),
    "UnencodableValue": lambda f, m: _with_text(UnencodableValue(f["path"], f["reason"]), m),
    "NeuronError": lambda f, m: NeuronError(f["code"], m, recoverable=f["recoverable"]),
    "NeedsAnswer": lambda f, m: NeedsAnswer(f["signal"]),
    "TimeoutError": lambda f, m: TimeoutError(m),
    "DendriteProtocolError": lambda f, m: DendriteProtocolError(m),
    "InvalidName": lambda f, m: _with_text(InvalidName(f["what"], f["value"]), m),
    "InvalidUrl": lambda f, m: _with_text(InvalidUrl(f["url"], f["reason"]), m),
    "InvalidArgument": lambda f, m: ValueError(m),
}


def error_of(said):
    """Return the error of this package that an error of the subject stands for."""
    made = _MADE.get(said["name"])
    if made is None:
        return SubjectFailed(said["stack"] or said["message"])
    return made(said["facts"], said["message"])
