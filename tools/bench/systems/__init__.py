"""What is measured side by side: one module a system, all doing the same job.

The job of a call: a dict of 100 bytes (as msgpack) with an id goes from a caller to a worker and
comes back with the same id; a coroutine for each call that is outstanding. `system` says what a
system is; `found` which of them are there.
"""
