"""What a publisher tells, for a person at a terminal or a program."""
