"""The page and the HTTP API: what is heard now, what was heard, and what people say about it."""
