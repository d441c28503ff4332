"""Changes to the log-mel frames of a batch: cheap, and new every time a scene is learnt from."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sed.train.batches import Item

FLOOR_DB = -100.0


@dataclass(frozen=True, slots=True)
class Spectral:
    """What is changed; dB, mels, or probabilities."""

    gain: tuple[float, float] = (-9.0, 9.0)
    response: float = 4.0  # dB, either way, of a smooth curve over the mels
    narrow: float = 0.2  # the highs are cut
    muted: tuple[float, ...] = (0.3,)  # one band each
    widest: float = 9.0  # mels of a muted band
    warp: float = 0.0  # most that the mel axis is stretched or pressed, as a share
    blend: float = 0.0  # mixup: another scene of the batch lies under a scene
    shift: float = 0.0  # most that a scene is moved in time, as a share of it; what leaves comes in at the other end
    gaps: tuple[float, ...] = ()  # one stretch of hidden frames each
    longest: float = 20.0  # frames of a gap

    def vary(self, batch: Item, look_ahead: int, chance: torch.Generator) -> Item:
        """The batch, its scenes changed."""
        frames, target, weight = shifted(batch, self.shift, look_ahead, chance) if self.shift else batch
        if self.warp:
            frames = warped(frames, self.warp, chance)
        if self.blend:
            frames, target, weight = blended((frames, target, weight), self.blend, look_ahead, chance)
        changed = microphone(frames, chance, self), target, weight
        return gapped(changed, self.gaps, self.longest, look_ahead, chance) if self.gaps else changed


PLAIN = Spectral()
STRONG = Spectral(gain=(-26.0, 9.0), response=7.0, narrow=0.35, muted=(0.4, 0.4), widest=12.0, warp=0.08, blend=0.35)
RICH = replace(STRONG, shift=1.0, gaps=(0.3,))
SPECTRALS = {"plain": PLAIN, "strong": STRONG, "rich": RICH}
"""What can be asked for, by name."""


def microphone(frames: Tensor, generator: torch.Generator, how: Spectral = PLAIN) -> Tensor:
    """Another microphone at another distance for each scene: (scenes, n, mels) dB to the same.

    Gain, a smooth response, sometimes a narrow band and a muted band of mels: all of it adds dB, which is cheap and
    close to what it would be on the samples.
    """
    scenes, _, mels = frames.shape

    def chance(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(scenes, *shape, generator=generator)

    band = torch.arange(mels).float()
    anchors = chance(-how.response, how.response, 1, 5)
    response = torch.nn.functional.interpolate(anchors, mels, mode="linear", align_corners=True)[:, 0]
    gain = response + chance(*how.gain, 1)
    edge = torch.where(chance(0.0, 1.0, 1) < how.narrow, chance(30.0, 64.0, 1) * mels / 64.0, torch.tensor(float(mels)))
    gain = gain - chance(2.0, 20.0, 1) * (band - edge).clamp(min=0.0)
    for probability in how.muted:
        low, width = chance(0.0, float(mels), 1), chance(0.0, how.widest, 1)
        muted = (band >= low) & (band < low + width) & (chance(0.0, 1.0, 1) < probability)
        gain = gain - 25.0 * muted
    return (frames + gain[:, None]).clamp(min=FLOOR_DB)


def warped(frames: Tensor, most: float, chance: torch.Generator) -> Tensor:
    """The mel axis of each scene stretched by up to `most` (a share), as another size of siren, gun or pane sounds."""
    scenes, _, mels = frames.shape
    band = torch.arange(mels).float()
    factor = 1.0 + most * (2.0 * torch.rand(scenes, 1, generator=chance) - 1.0)
    at = (band * factor).clamp(max=mels - 1.0)
    shares = (1.0 - (at[:, None] - band[:, None]).abs()).clamp(min=0.0)  # (scenes, from, to): between two neighbours
    return frames @ shares


def blended(batch: Item, share: float, look_ahead: int, chance: torch.Generator) -> Item:
    """Mixup: under a `share` of the scenes lies another one, 12 dB softer to 3 dB louder, with its events.

    An event that the other scene drowns, in nine mels of ten or more, counts nothing.
    """
    frames, target, weight = batch[0].clone(), batch[1].clone(), batch[2].clone()
    scenes, rows = len(frames), target.shape[1]
    chosen = torch.randperm(scenes, generator=chance)[: round(share * scenes)]
    other = torch.randint(scenes, chosen.shape, generator=chance)
    upper, lower = batch[0][chosen], batch[0][other]
    gain = upper.mean(dim=(1, 2)) - lower.mean(dim=(1, 2)) - 12.0 + 15.0 * torch.rand(chosen.shape, generator=chance)
    lower = (lower + gain[:, None, None]).clamp(min=FLOOR_DB)
    ours = (target[chosen] > 0.0) & _heard(upper, lower, rows, look_ahead)
    theirs = (batch[1][other] > 0.0) & _heard(lower, upper, rows, look_ahead)
    frames[chosen] = torch.maximum(upper, lower) + 10.0 * torch.log10(1.0 + 10.0 ** (-(upper - lower).abs() / 10.0))
    target[chosen] = torch.maximum(batch[1][chosen], batch[1][other])
    least = torch.minimum(batch[2][chosen], batch[2][other])
    most = torch.maximum(batch[2][chosen], batch[2][other])
    drowned = (target[chosen] > 0.0) & ~(ours | theirs)
    weight[chosen] = torch.where(ours | theirs, most, torch.where(drowned, 0.0, least))
    return frames, target, weight


def _heard(frames: Tensor, under: Tensor, rows: int, look_ahead: int) -> Tensor:
    """Whether more than a tenth of the mels of `frames` are over `under`, (scenes, rows, 1), where the rows lie."""
    over = (frames > under).float().mean(dim=2).view(len(frames), rows, -1).mean(dim=2)
    return torch.nn.functional.pad(over, (look_ahead, 0), value=1.0)[:, :rows, None] > 0.1


def shifted(batch: Item, most: float, look_ahead: int, chance: torch.Generator) -> Item:
    """Each scene and its marks moved in time by up to `most` of its length, in a circle.

    The rows that would speak of what was there before the circle's new beginning count nothing.
    """
    scenes, rows = batch[1].shape[:2]
    by = (most * rows * torch.rand(scenes, 1, generator=chance)).long()
    frames, target, weight = (_rolled(part, by * (part.shape[1] // rows)) for part in batch)
    weight[:, :look_ahead] = 0.0
    return frames, target, weight


def _rolled(part: Tensor, by: Tensor) -> Tensor:
    """`part` (scenes, n, ...), each scene moved on by its own `by` (scenes, 1)."""
    scenes, count = part.shape[:2]
    return part[torch.arange(scenes)[:, None], (torch.arange(count) - by) % count]


def gapped(batch: Item, gaps: tuple[float, ...], longest: float, look_ahead: int, chance: torch.Generator) -> Item:
    """SpecAugment in time: up to `longest` frames, a stretch for each of `gaps` by its probability, say nothing.

    They are replaced by the scene's mean; a row whose frames are all hidden counts nothing.
    """
    frames, target, weight = batch
    scenes, count, _ = frames.shape
    time, hidden = torch.arange(count), torch.zeros(scenes, count, dtype=torch.bool)
    for probability in gaps:
        first, width, drawn = torch.rand(3, scenes, 1, generator=chance)
        inside = (time >= first * count) & (time < first * count + width * longest)
        hidden |= inside & (drawn < probability)
    unheard = hidden.view(scenes, target.shape[1], -1).all(dim=2)
    unheard = torch.nn.functional.pad(unheard, (look_ahead, 0))[:, : target.shape[1], None]
    return torch.where(hidden[..., None], frames.mean(dim=1, keepdim=True), frames), target, weight * ~unheard
