"""What travels: ends, and ids that sort by time."""

import re
import time

import numpy as np

from sed.signals import Block, Scores, new_id


def test_ends() -> None:
    assert Block(100, np.zeros(20, np.float32)).end == 120
    assert Scores(100, 640, np.zeros((3, 2), np.float32), 0).end == 100 + 3 * 640


def test_ids_are_ulids_that_sort_by_time() -> None:
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", one) for one in ids)
    decoded = 0
    for letter in ids[0][:10]:  # the first ten letters are milliseconds since 1970, five bits a letter
        decoded = decoded * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(letter)
    assert abs(decoded / 1000 - time.time()) < 5.0
    assert len({new_id() for _ in range(1000)}) == 1000
