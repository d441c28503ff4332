"""Which events to look at first, and what the verdicts on them ask of the rules."""
