"""Archives: many recordings through the same detector, into tables."""
