"""What a call costs, measured with real processes on loopback. Run it: `make bench`.

One module a kind (`calls`, `nobody`, `start`, `unwatched`); `children` starts and asks processes,
`fabric` and `plain` are what runs in them, `figures` makes tables, `page` writes them down.
"""
