"""The C library's memory: what a daemon of many threads and many days gives back instead of keeping it."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # mallopt(3)
_SETTINGS = {_ARENA_MAX: 1, _MMAP_THRESHOLD: 65_536, _TRIM_THRESHOLD: 131_072}


def keep_little() -> bool:
    """Take one arena for all threads, and large blocks from the system; call it before threads start.

    Left alone, glibc raises its thresholds with every large block that is freed, and holds several MB more from day to
    day without a leak. Says whether there is something to set: other C libraries have no such call.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(key, value) == 1 for key, value in _SETTINGS.items())
