"""The command line: one thin function a command. What a command needs is imported when it runs."""

from sed.cli import archive, caring, fleet, hearing, learning, measuring, models, network, remembering
from sed.cli.app import app, main

__all__ = [
    "app",
    "archive",
    "caring",
    "fleet",
    "hearing",
    "learning",
    "main",
    "measuring",
    "models",
    "network",
    "remembering",
]
