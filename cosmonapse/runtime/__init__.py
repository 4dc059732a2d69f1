"""What runs under everything: clock, deadlines, threads, event loops, OS signals."""
