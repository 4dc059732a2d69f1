"""What a process shows to those who watch over it: `/metrics`, `/healthz` and `/readyz`."""
