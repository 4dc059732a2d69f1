"""A client's process: its link to the proxy (pure), and the shells that move its frames."""
