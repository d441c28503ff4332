"""Measuring: what a model tells against what is known to be there. No torch."""
