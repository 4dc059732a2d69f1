"""The proxy's process: its decisions (pure), and the one thread that executes them."""
