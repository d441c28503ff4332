"""Recordings that nobody made on purpose: read, or refused in one line, within bounds of time and memory."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from sed.errors import AudioError, UsageError
from sed.signals import Floats
from sed.source.file import AudioFile
from tests.fuzz.effort import fuzzed, one_line, spoilt
from tests.fuzz.memory import bounded

RATE = 16_000
NOISE = np.random.default_rng(5).normal(0.0, 0.1, 2_000).astype(np.float32)
MOST_SAMPLES = 200_000
"""No file here is larger than 20 kB: so many samples cannot be in it."""


def encoded(form: str, subtype: str, samples: Floats = NOISE) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, samples, RATE, format=form, subtype=subtype)
    return target.getvalue()


WHOLE = {
    "wav": encoded("WAV", "PCM_16"),
    "float wav": encoded("WAV", "FLOAT"),
    "adpcm wav": encoded("WAV", "IMA_ADPCM"),
    "rf64": encoded("RF64", "PCM_24"),
    "w64": encoded("W64", "PCM_16"),
    "flac": encoded("FLAC", "PCM_16"),
    "ogg": encoded("OGG", "VORBIS"),
    "mp3": encoded("MP3", "MPEG_LAYER_III"),
}


def heard(path: Path) -> int:
    """How many samples come out; a refusal is one line that names the file."""
    count = 0
    try:
        with AudioFile(path, "mix") as file:
            for block in file.blocks(0.1):
                assert block.samples.dtype == np.float32
                assert block.start == count
                assert np.isfinite(block.samples).all()
                count += len(block.samples)
                assert count <= MOST_SAMPLES
    except (AudioError, UsageError) as error:
        one_line(error, f"{path}: ")
    return count


@pytest.mark.parametrize("form", WHOLE)
def test_spoilt(form: str, tmp_path: Path) -> None:
    path = tmp_path / "spoilt"

    @fuzzed(25)
    @given(spoilt(WHOLE[form], head=100))
    def read(data: bytes) -> None:
        path.write_bytes(data)
        heard(path)

    path.write_bytes(WHOLE[form])
    assert heard(path) >= len(NOISE)  # the reader is at work at all
    read()


MAGIC = st.sampled_from(
    [b"RIFF\x00\x10\x00\x00WAVE", b"RF64\xff\xff\xff\xffWAVEds64", b"fLaC\x00", b"OggS\x00\x02", b"ID3", b""]
)
CHUNK = st.builds(lambda name, size, body: name + struct.pack("<I", size) + body,
                  st.sampled_from([b"fmt ", b"data", b"fact", b"LIST", b"JUNK"]),
                  st.integers(0, 2**32 - 1) | st.integers(0, 64), st.binary(max_size=64))  # fmt: skip


def test_bytes_after_a_known_beginning(tmp_path: Path) -> None:
    path = tmp_path / "made-up"

    @fuzzed(100)
    @given(MAGIC, st.lists(CHUNK, max_size=5), st.binary(max_size=200))
    def read(magic: bytes, chunks: list[bytes], rest: bytes) -> None:
        path.write_bytes(magic + b"".join(chunks) + rest)
        heard(path)

    read()


def wav(
    rate: int = RATE, channels: int = 1, bits: int = 16, claimed: int = 4_000, held: bytes = b"\1\0" * 2_000
) -> bytes:
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * block) & 0xFFFF_FFFF, block & 0xFFFF, bits)
    body = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", claimed) + held
    return b"RIFF" + struct.pack("<I", min(len(body) + 4, 0xFFFF_FFFF)) + b"WAVE" + body


def rf64(claimed: int) -> bytes:
    """One that claims 64-bit sizes."""
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    ds64 = struct.pack("<QQQI", claimed + 100, claimed, claimed // 2, 0)
    body = b"ds64" + struct.pack("<I", len(ds64)) + ds64 + b"fmt " + struct.pack("<I", len(form)) + form
    return b"RF64\xff\xff\xff\xffWAVE" + body + b"data\xff\xff\xff\xff" + b"\1\0" * 2_000


BOMBS = {
    "100 hours of 8 kHz": wav(rate=8_000, bits=8, claimed=100 * 3_600 * 8_000),
    "4 GB": wav(claimed=0xFFFF_FFF0),
    "a million hours": rf64(1 << 60),
    "no rate": wav(rate=0),
    "4 GHz": wav(rate=2**32 - 1),
    "1024 channels of 192 kHz": wav(rate=192_000, channels=1_024),
    "65535 channels": wav(channels=65_535),
    "no bits": wav(bits=0),
    "a FLAC of 2^36 samples": WHOLE["flac"][:21] + b"\x0f\xff\xff\xff\xff" + WHOLE["flac"][26:],
}


def test_a_header_that_claims_the_world_gets_no_memory_for_it(tmp_path: Path) -> None:
    for name, data in BOMBS.items():
        (tmp_path / name).write_bytes(data)
    imports = "import soundfile, sys\nfrom pathlib import Path\nfrom tests.fuzz.test_recordings import heard"
    told = bounded(
        imports, f"for path in sorted(Path({str(tmp_path)!r}).iterdir()):\n    print(path.name, heard(path), sep=': ')"
    )
    heards = dict(line.rsplit(": ", 1) for line in told.splitlines())
    assert heards.keys() == BOMBS.keys()
    assert int(heards["4 GB"]) == int(heards["100 hours of 8 kHz"]) / 2 == 2_000
