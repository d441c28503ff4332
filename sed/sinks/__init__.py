"""Who is told: each sink follows the journal in a thread of its own."""
