"""Recordings of the events: FLAC files with what came before and after, kept for a while."""
