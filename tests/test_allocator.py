"""The C library's memory, in a process of its own."""

import ctypes
import subprocess
import sys

import pytest

CODE = """
import ctypes
from sed.allocator import keep_little
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
fields = [(f"_{n}", ctypes.c_size_t) for n in range(10)]
libc.mallinfo2.restype = type("Info", (ctypes.Structure,), {"_fields_": fields})

def mapped():
    return libc.mallinfo2()._4  # hblkhd: bytes in blocks of their own

def fresh(size):
    '''Whether a block comes from the system although one of its size was freed before.'''
    libc.free(libc.malloc(size))
    before, block = mapped(), libc.malloc(size)
    found = mapped() - before >= size
    libc.free(block)
    return found

print(fresh(1_000_000), keep_little(), fresh(2_000_000), fresh(4_000_000))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33 or newer")
def test_large_blocks_come_from_the_system_again_and_again() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True", "True", "True"]
