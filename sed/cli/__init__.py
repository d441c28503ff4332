"""The command line: one thin function a command. What a command needs is imported when it runs."""

from sed.cli import hearing, learning, measuring, models
from sed.cli.app import app, main

__all__ = ["app", "hearing", "learning", "main", "measuring", "models"]
