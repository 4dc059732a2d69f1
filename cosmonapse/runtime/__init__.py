"""Helpers for every room: clock, deadlines, threads, event loops, OS signals."""
