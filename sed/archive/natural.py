"""The order of names as people have it."""

import re

_NUMBER = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[int, str], ...]:
    """To sort by: `take2` before `take10`."""
    return tuple((int(part), part) if n % 2 else (-1, part) for n, part in enumerate(_NUMBER.split(name)))
