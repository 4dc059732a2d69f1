"""What a running service tells about itself: measured, traced, logged."""
