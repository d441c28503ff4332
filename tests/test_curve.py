"""Keys in files: who reads them, and what is said about those that cannot be used."""

import re
from pathlib import Path

import pytest

from sed.curve import Keys, PublicKey, read_keys, read_public_key, read_public_keys, write_keys
from sed.errors import ConfigError, UsageError

ALICE, BOB = Keys.new("alice"), Keys.new("bob")


def test_a_pair_comes_back_as_it_was_written(tmp_path: Path) -> None:
    secret, public = write_keys(tmp_path / "gate.yard", ALICE)
    assert (secret.name, public.name) == ("gate.yard.key", "gate.yard.pub")
    assert secret.stat().st_mode & 0o777 == 0o600
    assert (read_keys(secret), read_public_key(public)) == (ALICE, ALICE.public)
    assert (read_keys(secret).name, read_public_key(public).name) == ("alice", "alice")
    assert ALICE.secret not in public.read_text()
    assert ALICE.secret not in repr(ALICE)


def test_no_key_is_ever_overwritten(tmp_path: Path) -> None:
    secret, public = write_keys(tmp_path / "gate", ALICE)
    secret.unlink()
    with pytest.raises(UsageError, match=r"gate.pub: there already; choose another name"):
        write_keys(tmp_path / "gate", BOB)
    assert not secret.exists()
    assert read_public_key(public) == ALICE.public
    with pytest.raises(UsageError, match=r"none/gate.key: no such file or directory; name a place"):
        write_keys(tmp_path / "none" / "gate", BOB)


def test_many_public_keys_in_a_file_or_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "allowed"
    file.write_text(f"# those of the yard\n\n{ALICE.public.line}\n  curve-public   {BOB.public.text}\n")
    assert read_public_keys(file) == (ALICE.public, BOB.public)
    assert [key.name for key in read_public_keys(file)] == ["alice", "allowed"]
    for keys in (ALICE, BOB):
        write_keys(tmp_path / f"of-{keys.name}", keys)
    assert read_public_keys(tmp_path) == (ALICE.public, BOB.public)


WRONG = [
    ("", "no key in it; name a file with a curve-public line"),
    (
        f"curve-secret {ALICE.secret}",
        "line 1: should be a public key, as 'earwitness keys' writes to NAME.pub; got a s",
    ),
    (f"# ours\nssh-rsa {'A' * 40}", "line 2: should be a public key, .* got something else"),
    ("curve-public", "line 1: should be a key, 40 characters of Z85, got 0 that are none"),
    (f"curve-public {'~' * 40}", "line 1: should be a key, 40 characters of Z85, got 40 that are none"),
    (f"curve-public {'é' * 40}", "line 1: should be a key, 40 characters of Z85, got 40 that are none"),
    (f"{ALICE.public.line}\n{BOB.public.line}", "has 2 public keys; leave one"),
]


@pytest.mark.parametrize(("text", "complaint"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_key(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "gate.pub").write_text(text)
    with pytest.raises(ConfigError, match=rf"gate.pub: {complaint}") as error:
        read_public_key(tmp_path / "gate.pub")
    assert len(str(error.value).splitlines()) == 1
    assert ALICE.secret not in str(error.value)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gone.key: no such file or directory; name a readable file that 'earwitness"
    ):
        read_keys(tmp_path / "gone.key")
    (tmp_path / "noise.key").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"noise.key: not utf-8 text"):
        read_keys(tmp_path / "noise.key")
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}: no *.pub in this folder; copy the public key there")):
        read_public_keys(tmp_path)
    (tmp_path / "two.key").write_text(f"curve-secret {ALICE.secret}\ncurve-secret {BOB.secret}\n")
    with pytest.raises(ConfigError, match=r"two.key: has 2 secret keys; leave one"):
        read_keys(tmp_path / "two.key")


def test_a_secret_that_others_may_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    secret, _ = write_keys(tmp_path / "gate", ALICE)
    read_keys(secret)
    assert caplog.messages == []
    secret.chmod(0o640)
    assert read_keys(secret) == ALICE
    assert caplog.messages == [f"{secret}: other users may read this secret key; 'chmod 600 {secret}'"]


def test_a_key_is_checked_at_birth() -> None:
    for kind in (Keys, PublicKey):
        with pytest.raises(ValueError, match="should be a key, 40 characters of Z85, got 3"):
            kind("abc")
