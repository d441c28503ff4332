"""`earwitness keys` as a user runs it, and what it says leads to a daemon that lets only friends listen."""

from pathlib import Path

import soundfile

from sed.commands import keys
from sed.curve import read_keys, read_public_key
from tests.broker import eventually, free_port
from tests.daemon import START_SECONDS, Run
from tests.test_cli import earwitness
from tests.test_daemon import configured
from tests.test_daemon import folder as folder
from tests.toy import RATE, bursts


def test_it_makes_a_pair_and_says_what_to_copy_where(tmp_path: Path) -> None:
    done = earwitness("keys", tmp_path / "gate")
    assert (done.returncode, done.stderr) == (0, "")
    secret, public = tmp_path / "gate.key", tmp_path / "gate.pub"
    assert read_keys(secret).public == read_public_key(public)
    assert read_keys(secret).name == "gate"
    assert done.stdout.startswith(f"{secret} is secret: it stays on this computer")
    assert read_keys(secret).secret not in done.stdout
    again = earwitness("keys", tmp_path / "gate")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr.startswith(f"earwitness: {secret}: there already; choose another name")


def test_from_the_keys_to_a_listener(folder: Path) -> None:
    for name in ("gate", "laptop"):
        keys.run(folder / name)
    port = free_port()
    ours = ["--key", folder / "laptop.key", "--server-key", folder / "gate.pub"]
    lock = 'secret_key_file = "gate.key"\nallowed_keys = "laptop.pub"'
    soundfile.write(folder / "long.wav", bursts(*[(n + 0.5, n + 1.0) for n in range(300)], seconds=300.0), RATE)
    config = configured(folder, "long", zmq=f'publish = "tcp://127.0.0.1:{port}"\n{lock}')
    with Run(folder, "-c", config) as run:
        eventually(lambda: run.said("publishing at tcp://127.0.0.1"), START_SECONDS)
        assert run.said("for those with an allowed key")
        done = earwitness("listen", f"tcp://127.0.0.1:{port}", "--json", "--count", 1, *ours)
        assert done.returncode == 0
        assert '"label": "tone"' in done.stdout
