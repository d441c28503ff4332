"""Networks side by side in one graph: what it tells is the mean of what they tell, however they are told apart."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sed.train.ensemble import Ensemble
from sed.train.kinds import trained
from sed.train.network import LAYERS, SPREAD_DB, Crnn, layers

WIDTHS = st.tuples(*(st.integers(1, 4) for _ in LAYERS))


def member(seed: int, units: int = 6, channels: tuple[int, ...] = (2, 3, 4, 2), labels: int = 3) -> Crnn:
    """One with statistics of its own in its norms, and its own idea of the average sound."""
    torch.manual_seed(seed)
    made = Crnn(64, labels, units, layers(channels), dropout=(0.3, 0.3))
    made.normalise(torch.linspace(-20.0, -60.0, 64) + seed, torch.full((64,), 12.0 + seed))
    made.train()
    made(sound(seed), *made.initial(2))
    return made.eval()


def sound(seed: int, rows: int = 12) -> torch.Tensor:
    return -40.0 + 20.0 * torch.randn(2, 4 * rows, 64, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=20)
@given(count=st.integers(1, 4), units=st.integers(1, 9), channels=WIDTHS, labels=st.integers(1, 4))
def test_the_mean_of_the_logits(count: int, units: int, channels: tuple[int, ...], labels: int) -> None:
    members = [member(seed, units, channels, labels) for seed in range(count)]
    whole, frames = Ensemble.of(members), sound(99)
    with torch.no_grad():
        told = [one(frames, *one.initial(2))[0] for one in members]
        found = whole(frames, *whole.initial(2))[0]
    assert not count > 1 or not torch.allclose(told[0], told[1], atol=1e-3)
    torch.testing.assert_close(found, torch.stack(told).mean(0), atol=1e-5, rtol=1e-4)


def test_it_is_found_in_its_weights() -> None:
    whole, frames = Ensemble.of([member(1), member(2), member(3)]), sound(5)
    found = trained(whole.state_dict())
    assert isinstance(found, Ensemble)
    assert (found.members, found.units, found.layers) == (3, 6, layers((2, 3, 4, 2)))
    torch.testing.assert_close(found(frames, *found.initial(2)), whole(frames, *whole.initial(2)))


def test_what_is_told_of_its_normal_is_the_mean_of_the_members() -> None:
    one, two = member(1), member(4)
    mean, spread = Ensemble.of([one, two]).normal()
    torch.testing.assert_close(mean, (one.mean + two.mean) / 2)
    torch.testing.assert_close(spread, (one.spread + two.spread) / 2)


def test_it_can_be_normalised_as_one() -> None:
    whole = Ensemble.of([member(1), member(4)])
    whole.normalise(torch.full((64,), -30.0), torch.zeros(64))
    assert torch.equal(whole.means, torch.full((2, 1, 64), -30.0))
    assert torch.equal(whole.spreads, torch.full((2, 1, 64), SPREAD_DB))


def test_members_are_of_one_shape() -> None:
    with pytest.raises(ValueError, match="of one shape"):
        Ensemble.of([member(1), member(2, units=7)])
