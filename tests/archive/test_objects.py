"""Recordings behind URLs, through fsspec: memory, a zip file, a web server here; listed, fetched and heard."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import fsspec.asyn
import pytest
import soundfile

from sed.archive.engine import Job, Recording
from sed.archive.objects import listed
from sed.archive.worker import work
from sed.errors import UsageError
from tests.archive.scanned import toy_order
from tests.toy import RATE, bursts


@pytest.fixture(scope="module", autouse=True)
def _fsspec_has_its_thread() -> None:
    """Of all asynchronous file systems; it stays until the program ends."""
    fsspec.asyn.get_loop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/take10.wav", "a/take2.wav", "b.flac", "a/.hidden.wav", "notes.txt"):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".txt":
            path.write_text("no sound")
        else:
            soundfile.write(path, bursts((0.5, 1.0), seconds=2.0), RATE)
    return tmp_path / "sounds"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def heard(tmp_path: Path, recordings: list[Recording]) -> list[tuple[str, int]]:
    done = work(Job(0, tuple(recordings)), toy_order(tmp_path))
    assert [one.status for one in done.outcomes] == ["done"] * len(recordings)
    assert {one.filename for outcome in done.outcomes for one in outcome.detections} == {one.name for one in recordings}
    return [(one.recording.name, len(one.detections)) for one in done.outcomes]


@pytest.mark.parametrize("below", ["", "a", "*.flac", "**/*.wav"])
def test_files_and_zips(tmp_path: Path, folder: Path, below: str) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(folder.rglob("*.*")):
            file.write(path, path.relative_to(folder))
    wanted = {
        "": ["a/take10.wav", "a/take2.wav", "b.flac"], "a": ["a/take10.wav", "a/take2.wav"], "*.flac": ["b.flac"],
        "**/*.wav": ["a/take10.wav", "a/take2.wav"],
    }[below]  # fmt: skip
    beside = list(listed(f"file://{folder}/{below}", print))
    assert [one.name for one in beside] == [f"file://{folder}/{name}" for name in wanted]
    zipped = list(listed(f"zip://{below}::file://{archive}", print))
    assert [one.name for one in zipped] == [f"zip://{name}::file://{archive}" for name in wanted]
    assert (
        [one.size for one in zipped]
        == [one.size for one in beside]
        == [(folder / name).stat().st_size for name in wanted]
    )
    assert heard(tmp_path, zipped) == [(one.name, 1) for one in zipped]


def test_memory(tmp_path: Path, folder: Path) -> None:
    fsspec.filesystem("memory").pipe("/archive/x.wav", (folder / "a/take2.wav").read_bytes())
    found = list(listed("memory://archive", print))
    assert [one.name for one in found] == ["memory:///archive/x.wav"]
    assert heard(tmp_path, found) == [("memory:///archive/x.wav", 1)]


def test_a_web_server(tmp_path: Path, folder: Path) -> None:
    with served(folder) as url:
        found = list(listed(f"{url}/b.flac", print))
        assert heard(tmp_path, found) == [(f"{url}/b.flac", 1)]
        assert [one.name for one in listed(f"{url}/a/", print)] == [f"{url}/a/take10.wav", f"{url}/a/take2.wav"]
        gone = work(Job(0, (Recording(f"{url}/gone.wav"),)), toy_order(tmp_path)).outcomes[0]
    assert gone.status == "failed"
    assert str(gone.error).startswith("cannot be fetched (")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("nosuch://bucket/a", "nosuch://bucket/a: cannot be listed .Protocol not known: nosuch"),
        ("memory://gone.wav", "memory://gone.wav: cannot be listed"),
        ("http://127.0.0.1:9/a/", "http://127.0.0.1:9/a/: cannot be listed"),
    ],
)
def test_one_that_leads_nowhere(url: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        list(listed(url, print))
