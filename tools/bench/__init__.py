"""What a call costs, measured with real processes on loopback. Run it: `make bench`.

One module a kind, listed in `kinds`; `systems` is what is measured side by side, `limits` the part
of it in C; `turns` and `compared` are what kinds share, `page`, `guard` and `floors.toml` what
becomes of the figures. The load and the loops are those of `cosmo bench`, in `cosmonapse.bench`.
"""
