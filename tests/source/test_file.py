"""Real files written by libsndfile in every form the product promises, and files that are wrong in one way each."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sed.errors import AudioError, EarwitnessError, UsageError
from sed.signals import Floats
from sed.source.file import AudioFile, Channel

RATE = 16_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)

FORMS = [
    ("WAV", "PCM_U8", 0.02), ("WAV", "PCM_16", 1e-4), ("WAV", "PCM_24", 1e-6), ("WAV", "PCM_32", 1e-7),
    ("WAV", "FLOAT", 0.0), ("WAV", "DOUBLE", 1e-7), ("WAV", "ULAW", 0.03), ("WAV", "ALAW", 0.03),
    ("RF64", "PCM_16", 1e-4), ("W64", "PCM_16", 1e-4), ("FLAC", "PCM_16", 1e-4), ("AIFF", "PCM_16", 1e-4),
    ("OGG", "VORBIS", 0.1), ("OGG", "OPUS", 0.1), ("MP3", "MPEG_LAYER_III", 0.1),
]  # fmt: skip


def write(path: Path, samples: Floats = TONE, rate: int = RATE, kind: str = "WAV", subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate, format=kind, subtype=subtype)
    return path


def read(path: Path | str, channel: Channel = 0, seconds: float = 0.1) -> Floats:
    with AudioFile(path, channel) as file:
        blocks = list(file.blocks(seconds))
    assert [b.start for b in blocks] == [0, *(b.end for b in blocks[:-1])]
    return np.concatenate([b.samples for b in blocks])


@pytest.mark.parametrize(("kind", "subtype", "tolerance"), FORMS)
def test_reads(tmp_path: Path, kind: str, subtype: str, tolerance: float) -> None:
    samples = read(write(tmp_path / "tone", kind=kind, subtype=subtype))
    assert len(samples) == RATE
    middle = slice(2000, -2000)
    np.testing.assert_allclose(samples[middle], TONE[middle], atol=tolerance)


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_rates(tmp_path: Path, rate: int) -> None:
    with AudioFile(write(tmp_path / "a.wav", rate=rate)) as file:
        assert file.sample_rate == rate
        assert len(next(file.blocks(0.02)).samples) == rate // 50


@pytest.mark.parametrize("channels", [1, 2, 6, 16])
def test_a_channel_is_picked_and_never_mixed_by_surprise(tmp_path: Path, channels: int) -> None:
    samples = np.stack([TONE * np.float32((n + 1) / 16) for n in range(channels)], axis=1)
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    for n in range(channels):
        np.testing.assert_array_equal(read(path, n), samples[:, n])
    np.testing.assert_allclose(read(path, "mix"), samples.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("kind", ["WAV", "RF64", "W64", "OGG", "MP3"])
def test_stdin(tmp_path: Path, kind: str) -> None:
    subtype = {"OGG": "OPUS", "MP3": "MPEG_LAYER_III"}.get(kind, "PCM_16")
    path = write(tmp_path / "a", kind=kind, subtype=subtype)
    assert RATE - 10 <= int(count_piped(path).split()[0]) <= RATE


def count_piped(path: Path) -> str:
    """What a process that reads the file through a pipe counts and knows of its length; or its error."""
    code = (
        "from sed.source.file import AudioFile; f = AudioFile('-'); frames = f.frames\n"
        "print(sum(len(b.samples) for b in f.blocks()), frames)"
    )
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:  # a pipe, not a file: it cannot be sought in
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=cat.stdout, capture_output=True, text=True, check=False
        )
    return done.stdout or done.stderr


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000])
@pytest.mark.parametrize("piped", [False, True])
def test_a_stream_of_unknown_length(tmp_path: Path, size: int, piped: bool) -> None:
    """What ffmpeg, arecord and sox write when they do not know the end: into a pipe, or into a file that was one."""
    content = bytearray(write(tmp_path / "a.wav").read_bytes())
    content[4:8] = content[40:44] = size.to_bytes(4, "little")
    (tmp_path / "b.wav").write_bytes(content)
    if piped:
        assert count_piped(tmp_path / "b.wav") == f"{RATE} None\n"
    else:
        assert len(read(tmp_path / "b.wav")) == RATE


def test_a_pipe_that_breaks_off(tmp_path: Path) -> None:
    content = write(tmp_path / "a.wav").read_bytes()
    (tmp_path / "b.wav").write_bytes(content[: len(content) // 2])
    assert "the data ends early, after 0.50 s: 50% of what its header promises" in count_piped(tmp_path / "b.wav")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", RATE, 1, subtype="PCM_16") as out:
        out.seek(0)
    header = bytearray(path.read_bytes())
    size = 24 * 3600 * RATE * 2
    header[4:8], header[40:44] = (size + 36).to_bytes(4, "little"), size.to_bytes(4, "little")
    path.write_bytes(header)
    os.truncate(path, len(header) + size)  # 24 hours, sparse: no disk is used
    code = (
        "import resource; from sed.source.file import AudioFile; f = AudioFile('long.wav'); n = 0\n"
        "for b in f.blocks(10.0):\n"
        "    n += 1\n"
        "    if n == 10: before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    blocks, grown_kib = map(int, done.stdout.split())
    assert blocks == 8640
    assert grown_kib < 2_000


def broken(tmp_path: Path, how: str) -> Path:
    """A file that is wrong in one way."""
    path = tmp_path / f"{how}.wav"
    good = write(tmp_path / "good.wav").read_bytes()
    samples = TONE.copy()
    match how:
        case "not audio":
            path.write_bytes(b"<html><body>404</body></html>" * 50)
        case "truncated header":
            path.write_bytes(good[:20])
        case "truncated data":
            path.write_bytes(good[: len(good) * 6 // 10])
        case "zero length":
            path.write_bytes(b"")
        case "no samples":
            write(path, TONE[:0])
        case "nan" | "infinite":
            samples[1600] = np.nan if how == "nan" else -np.inf
            write(path, samples, subtype="FLOAT")
        case "low rate":
            write(path, rate=4000)
        case "truncated flac":
            content = write(path, np.tile(TONE, 5), kind="FLAC").read_bytes()
            path.write_bytes(content[: len(content) // 2])
        case "truncated rf64" | "truncated w64":
            content = write(path, kind=how.split()[1].upper()).read_bytes()
            path.write_bytes(content[: len(content) // 2])
    return path


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("not audio", AudioError, "not a recording that can be read (unknown format, or the header is cut short)"),
        (
            "truncated header",
            AudioError,
            "not a recording that can be read (WAV/W64/RF64 file. Malformed 'fmt ' chunk)",
        ),
        ("truncated data", AudioError, "the data ends early, after 0.60 s: 60% of what its header promises"),
        ("truncated rf64", AudioError, "the data ends early, after 0.50 s: 50% of what its header promises"),
        ("truncated w64", AudioError, "the data ends early, after 0.50 s: 50% of what its header promises"),
        ("truncated flac", AudioError, "cannot be decoded after"),
        ("zero length", AudioError, "holds no sound (0 bytes)"),
        ("no samples", AudioError, "holds no sound (0 samples)"),
        ("nan", AudioError, "sample 1600 (0.100 s) is not a number"),
        ("infinite", AudioError, "sample 1600 (0.100 s) is infinite"),
        ("low rate", AudioError, "need 8000 to 192000 samples a second, the header says 4000"),
        ("missing", UsageError, "no such file or folder"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, how: str, error: type[EarwitnessError], message: str) -> None:
    path = broken(tmp_path, how)
    with pytest.raises(error) as caught:
        read(path)
    assert type(caught.value) is error
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_truncated_data_is_read_up_to_its_end(tmp_path: Path) -> None:
    with AudioFile(broken(tmp_path, "truncated data")) as file:
        blocks = file.blocks(0.1)
        whole = sum(len(next(blocks).samples) for _ in range(6))
        with pytest.raises(AudioError):
            next(blocks)
    assert whole == pytest.approx(0.6 * RATE, abs=50)


@pytest.mark.parametrize(("channel", "have"), [(1, "0 only"), (7, "0 only"), (-1, "0 only")])
def test_a_channel_that_is_not_there(tmp_path: Path, channel: int, have: str) -> None:
    with pytest.raises(UsageError, match=rf"no channel {channel}: the file has {have}; choose one, or 'mix'"):
        AudioFile(write(tmp_path / "a.wav"), channel)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read anything but this
        path.unlink()
        path.symlink_to("/proc/self/mem")
    with pytest.raises(AudioError, match=r"a\.wav: cannot be read \((Permission denied|Input/output error)\)"):
        AudioFile(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be read"):
        AudioFile(tmp_path)


@pytest.mark.parametrize(("kind", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("W64", "PCM_16")])
@pytest.mark.parametrize(("first", "last"), [(0, 1), (1, None), (123, 4_567), (8_000, 16_000), (15_999, None)])
def test_a_stretch(tmp_path: Path, kind: str, subtype: str, first: int, last: int | None) -> None:
    path = write(tmp_path / "a", kind=kind, subtype=subtype)
    with AudioFile(path) as file:
        assert file.divisible
        blocks = list(file.blocks(0.1, first, last))
    assert blocks[0].start == first
    np.testing.assert_array_equal(np.concatenate([b.samples for b in blocks]), read(path)[first:last])


@pytest.mark.parametrize(("kind", "subtype"), [("MP3", "MPEG_LAYER_III"), ("OGG", "OPUS")])
def test_what_has_to_be_read_from_its_beginning(tmp_path: Path, kind: str, subtype: str) -> None:
    with AudioFile(write(tmp_path / "a", kind=kind, subtype=subtype)) as file:
        assert not file.divisible


def test_what_the_header_tells(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", RATE, 2) as file:
        file.comment = "begins=2026-11-20T02:59:01Z"
        file.write(np.zeros((RATE, 2)))
    with AudioFile(tmp_path / "a.wav") as told:
        assert (told.channels, told.comment, told.originated) == (2, "begins=2026-11-20T02:59:01Z", "")
