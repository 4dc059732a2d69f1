"""Prism: every Signal of a namespace in a browser. Read-only, for this machine alone."""
