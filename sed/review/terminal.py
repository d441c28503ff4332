"""Keys from a terminal, one at a time, without Enter."""

import os
import termios
import tty


def pressed(terminal: int) -> str:
    """The next key, from the file descriptor of a terminal; empty at its end. What was typed ahead counts."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        return os.read(terminal, 1).decode("ascii", "replace")
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
