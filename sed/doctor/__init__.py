"""What may keep an installation from hearing or telling, looked at one thing after the other; a file for each."""
