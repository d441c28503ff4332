"""What was heard: whole events in the journal, and what people said of them."""
