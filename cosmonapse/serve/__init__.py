"""Gateways: the Neurons of a fabric over HTTP, OpenAI's API, MCP and A2A, in one process."""
