"""Waits that grow, and never come in step."""

from itertools import islice

from sed.source.backoff import delays, jittered


def test_each_is_twice_as_long_up_to_the_longest_within_a_half_of_itself() -> None:
    for n, seconds in enumerate(islice(delays(0.5, 30.0), 200)):
        assert 0.5 <= seconds / min(0.5 * 2**n, 30.0) <= 1.5


def test_no_two_wait_alike() -> None:
    assert len({jittered(10.0) for _ in range(50)}) == 50
