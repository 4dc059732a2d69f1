"""Neurons as models of OpenAI's API: what a request means, and what an answer looks like. Pure."""
