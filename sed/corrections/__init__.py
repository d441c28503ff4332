"""What people said of events, as recordings that training and evaluation read."""
