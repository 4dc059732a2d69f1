"""Memory for agents: sessions, and entries that are recalled by their words."""
