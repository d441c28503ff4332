"""Scores, levels, events and states, published over ZeroMQ for other programs."""
