"""The proxy's process: what it decides (pure), and the one thread that carries it out."""
