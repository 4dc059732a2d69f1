"""The run as a whole: what is the same for every test."""

import signal

# A run in the background (`make test &` in a script, nohup) starts with SIGINT ignored, and what is
# ignored stays ignored in every child. What is caught goes back to its default there, so we catch
# it, and go on ignoring it here. `pytest` imports this file on its main thread, where that is
# allowed.
for _number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)
