"""A microphone elsewhere: what a satellite sends, and how a box takes it."""
