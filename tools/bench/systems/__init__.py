"""The systems that are measured side by side: one module each, all doing the same job.

The job of a call: a dict of 100 bytes (as msgpack) with an id goes from a caller to a worker and
comes back with the same id. Each outstanding call has a coroutine. `system`
defines a system; `found` returns those that are present.
"""
