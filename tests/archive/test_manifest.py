"""Lists of recordings as people have them."""

from pathlib import Path

import pytest

from sed.archive.manifest import names
from sed.errors import UsageError


def manifest(folder: Path, text: str, name: str = "list.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "text",
    [
        "path\na.wav\nb, c.wav\n".replace("b, c.wav", '"b, c.wav"'),
        '\ufeffClass,Path\nsiren,a.wav\ndog,"b, c.wav"\n',
        "filename;onset\r\na.wav;1\r\nb, c.wav;2\r\n",
        "id\tFILE_NAME\n1\ta.wav\n2\tb, c.wav\n",
        'a.wav\n"b, c.wav"\n',
        'path,label\na.wav,x\n\n"b, c.wav",y\n,z\n',
    ],
)
def test_tables(tmp_path: Path, text: str) -> None:
    assert list(names(manifest(tmp_path, text))) == [str(tmp_path / "a.wav"), str(tmp_path / "b, c.wav")]


@pytest.mark.parametrize("name", ["list.txt", "list.m3u", "list"])
def test_a_path_a_line(tmp_path: Path, name: str) -> None:
    path = manifest(tmp_path, "#EXTM3U\n\n a.wav\ns3://bucket/b.wav\n/c, d.wav", name)
    assert list(names(path)) == [str(tmp_path / "a.wav"), "s3://bucket/b.wav", "/c, d.wav"]


def test_relative_paths_begin_at_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lists").mkdir()
    (tmp_path / "here.wav").touch()
    listed = list(names(manifest(tmp_path / "lists", "path\nthere.wav\nhere.wav\n")))
    assert listed == [str(tmp_path / "lists/there.wav"), "here.wav"]  # this one is only there from where we are


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label,onset\nsiren,1\n", r"needs a column called path .*, has \['label', 'onset'\]"),
        ("path\n", "names no recordings"),
        ("", "needs a column called path"),
    ],
)
def test_what_names_nothing(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        list(names(manifest(tmp_path, text)))


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone.csv: cannot be read \(No such file or directory\)"):
        list(names(tmp_path / "gone.csv"))
