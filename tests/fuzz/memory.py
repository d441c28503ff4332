"""A bound on memory: code runs in a process that can hold only so much more than it has."""

import subprocess
import sys

MORE_BYTES = 256_000_000

_BOUND = """
import resource
with open("/proc/self/statm") as file:
    mapped = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (mapped + {more},) * 2)
"""


def bounded(imports: str, code: str, timeout: float = 60.0) -> str:
    """What `code` prints within 256 MB on top of what its imports need; fails the test where that does not do."""
    text = f"{imports}\n{_BOUND.format(more=MORE_BYTES)}\n{code}"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
