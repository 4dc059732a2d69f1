"""Doppler: every Signal of a namespace as it passes, for a terminal, a tool or Prism. Read-only."""
