"""Health for Prometheus: the path of sound counts, and all else is read when somebody asks."""
