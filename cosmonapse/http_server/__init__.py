"""The HTTP server of Prism and of gateways: its sockets, its connections, and uvicorn."""
