"""Where blocks of samples come from."""
