"""The page's files: right types, packed for who can unpack, asked for again at no cost, and nothing else."""

import asyncio
import gzip
from pathlib import Path

import httpx
import pytest

from sed.web.site import FOLDER, Site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page").mkdir()
    (tmp_path / "secret.txt").write_text("geheim")
    (tmp_path / "page" / "inside").mkdir()
    (tmp_path / "page" / "inside" / "x.js").write_text("1")
    for name in ("index.html", "page.css", "page.js", "icon.svg"):
        (tmp_path / "page" / name).write_text(f"{name}\n" * 50)
    return tmp_path / "page"


def ask(site: Site, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://localhost") as client:
            return await client.request(method, path, headers={"accept-encoding": "identity"} | headers)

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ],
)
def test_types_and_caching(folder: Path, path: str, kind: str) -> None:
    plain = ask(site := Site(folder), path)
    assert plain.headers["content-type"] == kind
    assert plain.headers["cache-control"] == "no-cache"
    assert plain.content == (folder / (path[1:] or "index.html")).read_bytes()
    again = ask(site, path, **{"if-none-match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ask(site, path, "HEAD").headers["content-length"] == str(len(plain.content))


def test_packed_for_who_can_unpack(folder: Path) -> None:
    packed = ask(Site(folder), "/page.js", **{"accept-encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 100
    assert packed.content == (folder / "page.js").read_bytes()  # httpx has unpacked it
    assert gzip.decompress(Site(folder)._file("page.js").packed) == packed.content  # type: ignore[union-attr]  # it is there


def test_what_changes_shows_at_once(folder: Path) -> None:
    before = ask(site := Site(folder), "/page.js")
    (folder / "page.js").write_text("other")
    after = ask(site, "/page.js", **{"if-none-match": before.headers["etag"]})
    assert (after.status_code, after.text) == (200, "other")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/inside",
        "/inside/x.js",
        "//etc/passwd",
        "/page.JS",
        "/nothing.js",
    ],
)
def test_nothing_else(folder: Path, path: str) -> None:
    assert ask(Site(folder), path).status_code == 404


def test_only_to_be_read(folder: Path) -> None:
    assert ask(Site(folder), "/page.js", "POST").status_code == 405


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert ask(Site(tmp_path / "gone"), "/").status_code == 404


def test_the_page_that_is_shipped() -> None:
    assert "earwitness" in ask(Site(), "/").text
    names = {path.name for path in FOLDER.iterdir() if path.is_file()}
    assert all(ask(Site(), f"/{name}").status_code == 200 for name in names)
