"""`earwitness keys`: a pair of CURVE keys, and what to copy where."""

from pathlib import Path

from rich.console import Console

from sed.curve import Keys, write_keys

ADVICE = """\
{secret} is secret: it stays on this computer, and only its owner may read it.
{public} may be seen by all: copy it to whoever is to know this computer by it.

For a daemon that others listen to, or that satellites send to: its secret_key_file is {secret}; whoever connects needs
its {public}. For whoever connects: --key {secret}, and the daemon needs {public} in its allowed_keys, a file with a
line a key or a folder of *.pub."""


def run(stem: Path) -> None:
    """Write STEM.key and STEM.pub. Raises UsageError if there is one already."""
    secret, public = write_keys(stem, Keys.new(stem.name))
    Console(highlight=False).print(ADVICE.format(secret=secret, public=public), soft_wrap=True, markup=False)
