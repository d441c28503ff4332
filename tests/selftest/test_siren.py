"""The siren that is played, by the shipped model and by its own shape."""

import numpy as np

from sed.selftest.siren import LEAD, SECONDS, TAIL, make_siren


def test_it_is_quiet_then_a_siren_then_quiet_and_always_the_same() -> None:
    siren = make_siren()
    np.testing.assert_array_equal(siren.samples, make_siren().samples)
    assert siren.seconds >= LEAD + SECONDS + TAIL
    assert siren.samples.dtype == np.float32
    level = np.abs(siren.samples)
    assert level[: round(LEAD * siren.rate)].max() < 0.02
    assert 0.45 < level.max() < 0.55
    assert not make_siren(noise=0.0).samples[: round(LEAD * siren.rate)].any()
