"""The worker's side of a Dendrite: TASKs come in, Neurons run, replies go out."""
