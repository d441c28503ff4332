"""Why something became an event, or why it did not: the work of `earwitness explain`."""
