"""The worker runner: processes that host Axons, started again and reloaded without a lost task.

`supervisor` decides, `runner` acts; `worker_process` is what runs in each process.
"""
