"""The soak: real processes under load, faults by seeded dice, and a checker that reads the logs.

Run it with `python -m tools.soak`, or `make soak`. Its rules, and how to
read the verdict, are in docs/design/soak.md. Not part of the package.
"""
