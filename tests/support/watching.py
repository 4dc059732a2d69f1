"""What a decorator saw, kept for a test to look at."""


def kept(decorator):
    """Decorate a function that keeps the Signals it gets; return the list of them."""
    signals = []

    @decorator
    async def keep(sig):
        signals.append(sig)

    return signals


def about(signals, *traces):
    """Return those of the Signals that belong to one of the traces."""
    return [sig for sig in signals if sig.trace_id in traces]


def deltas(signals):
    """Return the texts that were streamed."""
    return [sig.payload["delta"] for sig in signals]
