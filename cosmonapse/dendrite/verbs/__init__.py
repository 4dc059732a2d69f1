"""The public verbs of a Dendrite, one family a file, each a line or two onto a part."""
