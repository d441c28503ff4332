"""What phones, cameras and downloads do to a sound: coded in memory by libsndfile, and decoded again."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from sed.signals import Floats


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to code a sound."""

    format: str  # libsndfile's name of the container
    subtype: str  # libsndfile's name of the coding
    rate: int | None = None  # Hz that it codes; None: what it is given
    effort: tuple[float, float] | None = None  # least and most compression, 0 to 1; None: it has no choice


CODECS = {
    "mp3": Codec("MP3", "MPEG_LAYER_III", effort=(0.3, 0.99)),  # at 16 kHz some 70 to 20 kbit/s
    "vorbis": Codec("OGG", "VORBIS", effort=(0.2, 1.0)),  # 80 to 30
    "opus": Codec("OGG", "OPUS", effort=(0.85, 0.98)),  # 40 to 10
    "gsm": Codec("WAV", "GSM610", rate=8000),
    "mu-law": Codec("WAV", "ULAW", rate=8000),
    "adpcm": Codec("WAV", "IMA_ADPCM"),
}


def coded(samples: Floats, rate: int, codec: Codec, share: float = 0.5) -> Floats:
    """`samples`, coded and decoded; (n,) to (n,), nothing moved.

    `share` is where between the codec's least and most compression it works, 0 to 1.
    """
    if not len(samples):
        return samples
    own = codec.rate or rate
    given = samples if own == rate else soxr.resample(samples, rate, own)
    effort = {} if codec.effort is None else {"compression_level": float(np.interp(share, (0.0, 1.0), codec.effort))}
    with io.BytesIO() as file:
        soundfile.write(file, np.clip(given, -1.0, 1.0), own, format=codec.format, subtype=codec.subtype, **effort)
        file.seek(0)
        heard = soundfile.read(file, dtype="float32")[0]
    return fitted(heard if own == rate else soxr.resample(heard, own, rate), len(samples))


def fitted(samples: Floats, count: int) -> Floats:
    """`samples` cut, or ended with silence, to `count`: codecs and resamplers round up to their blocks."""
    return np.pad(samples[:count], (0, max(0, count - len(samples)))).astype(np.float32, copy=False)
