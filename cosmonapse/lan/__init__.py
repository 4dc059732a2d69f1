"""Announce a Synapse on the LAN and find those that are announced. Spec: docs/spec/13-discovery.md.

What is announced gives addresses, never trust: whoever is on the network can announce anything.
"""
