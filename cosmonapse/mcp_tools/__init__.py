"""The tools of MCP servers, each behind an Axon."""
