"""What is measured outside the tests, each a program of its own."""
