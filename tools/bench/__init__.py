"""The cost of a call, measured with real processes on loopback. Run it: `make bench`.

One module a kind, listed in `kinds`. `systems` are measured side by side, `limits` is their part in
C. `turns` and `compared` are shared by kinds. `page`, `guard` and `floors.toml` use the figures.
 The load and the loops are those of `cosmo bench`, in `cosmonapse.bench`.
"""
