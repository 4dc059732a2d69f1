"""Several proxies of one fabric: what they know of each other, and who leads."""
