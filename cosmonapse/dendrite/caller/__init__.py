"""The caller's side of a Dendrite: open tasks, their outcomes, Pathways, retries, auctions."""
