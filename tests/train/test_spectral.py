"""Changes to a batch of frames: none when off, levels and marks as they ought to be when on."""

import pytest
import torch

from sed.train.batches import Item
from sed.train.spectral import PLAIN, STRONG, Spectral, blended, gapped, microphone, shifted, warped

LOOK_AHEAD = 3


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(level: float = -60.0, scenes: int = 8) -> Item:
    """Scenes of 40 rows; the odd ones have an event in rows 10 to 20, 20 dB over the rest."""
    frames = torch.full((scenes, 160, 64), level)
    target, weight = torch.zeros(scenes, 40, 1), torch.ones(scenes, 40, 1)
    frames[1::2, 40:80] += 20.0
    target[1::2, 10 + LOOK_AHEAD : 20 + LOOK_AHEAD] = 1.0
    return frames, target, weight


def test_another_microphone_adds_the_same_to_every_frame() -> None:
    frames = torch.full((6, 10, 64), -40.0)
    heard = microphone(frames, chance())
    assert heard.shape == frames.shape
    assert float(heard.min()) >= -100.0
    torch.testing.assert_close(heard, heard[:, :1].expand_as(heard))
    assert len({round(float(scene[0, 0]), 3) for scene in heard}) == 6
    torch.testing.assert_close(heard, microphone(frames, chance()))


def test_plain_changes_no_marks() -> None:
    frames, target, weight = PLAIN.vary(batch(), LOOK_AHEAD, chance())
    assert not torch.equal(frames, batch()[0])
    assert torch.equal(target, batch()[1])
    assert torch.equal(weight, batch()[2])


def test_strong_keeps_shapes_and_the_batch_itself() -> None:
    given, same = batch(), batch()
    changed = STRONG.vary(given, LOOK_AHEAD, chance())
    for part, new, before in zip(given, changed, same, strict=True):
        assert new.shape == part.shape
        assert torch.equal(part, before)
        assert bool(new.isfinite().all())


@pytest.mark.parametrize("most", [0.0, 0.08])
def test_warping_stretches_the_mel_axis(most: float) -> None:
    ramp = torch.arange(64.0).expand(5, 3, 64)
    found = warped(ramp, most, chance()) / ramp.clamp(min=1.0)
    factors = found[:, 0, 1:50]
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), rtol=1e-4, atol=1e-4)
    assert float((factors - 1.0).abs().max()) <= most + 1e-4


def test_a_blended_scene_has_the_events_of_both() -> None:
    _, target, weight = blended(batch(), 1.0, LOOK_AHEAD, chance(4))
    assert float(target[1::2, 13:23].min()) == 1.0
    assert bool(target[0::2, 13:23].any())
    assert float(weight[target > 0.0].max()) == 1.0
    assert not bool(target[:, :13].any())


def test_an_event_that_is_drowned_counts_nothing() -> None:
    frames, target, weight = batch(scenes=2)
    frames[0] = torch.where(torch.arange(160)[:, None] % 160 < 80, torch.tensor(0.0), torch.tensor(-100.0))
    drowned = False
    for seed in range(20):
        mixed, marks, counts = blended((frames, target, weight), 0.5, LOOK_AHEAD, chance(seed))
        own = (marks > 0.0) & (counts == 0.0)
        drowned = drowned or bool(own.any())
        assert bool(mixed.isfinite().all())
    assert drowned


def test_blending_adds_power() -> None:
    frames, target, weight = batch(scenes=2)
    mixed, _, _ = blended((frames, target, weight), 1.0, LOOK_AHEAD, chance(2))
    assert bool((mixed >= frames - 1e-3).all())
    assert float((mixed - frames).max()) > 0.1


def test_a_scene_and_its_marks_move_together() -> None:
    frames, target, weight = shifted(batch(), 1.0, LOOK_AHEAD, chance())
    assert not torch.equal(target, batch()[1])
    assert not bool(weight[:, :LOOK_AHEAD].any())
    loud = (frames > -50.0)[:, :, 0].view(8, 40, 4).all(dim=2)
    marked = torch.roll(target[:, :, 0], -LOOK_AHEAD, dims=1) > 0.0
    assert torch.equal(loud, marked)
    assert {int(row.sum()) for row in loud} == {0, 10}
    assert torch.equal(shifted(batch(), 0.0, LOOK_AHEAD, chance())[0], batch()[0])


def test_gaps_hide_frames_and_count_only_where_something_is_heard() -> None:
    given = batch()
    frames, target, weight = gapped(given, (1.0, 0.5), 20.0, LOOK_AHEAD, chance())
    hidden = (frames - given[0].mean(dim=1, keepdim=True)).abs().amax(dim=2) < 1e-4
    odd = hidden[1::2]  # of the even scenes every frame is their mean
    assert int(odd.sum(dim=1).min()) > 0
    assert int(odd.sum(dim=1).max()) <= 40
    assert torch.equal(frames[1::2][~odd], given[0][1::2][~odd])
    assert torch.equal(target, given[1])
    heard = ~odd.view(4, 40, 4).all(dim=2)
    assert torch.equal(weight[1::2, LOOK_AHEAD:, 0], heard[:, : 40 - LOOK_AHEAD].float())


def test_what_is_off_draws_no_number() -> None:
    generator = chance(5)
    frames = warped(batch()[0], STRONG.warp, generator)
    frames, *marks = blended((frames, *batch()[1:]), STRONG.blend, LOOK_AHEAD, generator)
    expected = (microphone(frames, generator, STRONG), *marks)
    for part, same in zip(STRONG.vary(batch(), LOOK_AHEAD, chance(5)), expected, strict=True):
        assert torch.equal(part, same)


def test_everything_can_be_on_at_once() -> None:
    everything = Spectral(warp=0.05, blend=0.3, shift=0.9, gaps=(1.0,))
    frames, target, weight = everything.vary(batch(), LOOK_AHEAD, chance(5))
    assert bool(frames.isfinite().all())
    assert bool((target.sum(dim=1) > 0).any())
    assert float(weight.max()) == 1.0
