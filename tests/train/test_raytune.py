"""A study whose trials Ray runs: proposed and pruned as without it, and kept in the same file."""

import math
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from sed.errors import EarwitnessError, UsageError
from sed.train.raytune import tune_on
from sed.train.settings import TrainSettings
from sed.train.space import SPACE, ask
from sed.train.tuning import Effort, finished, opened, tune
from tests.archive.nodes import MARK, Nodes, environment, marked
from tests.broker import eventually, free_port

SECONDS = 600.0
"""Machines are busy, and every process of a cluster takes its time to start."""

pytestmark = pytest.mark.timeout(2 * SECONDS)


NAMES = ("siren", "background")


@pytest.fixture
def settings(data: Path, cache: Path, tmp_path: Path) -> TrainSettings:
    return TrainSettings(
        data=data, out=tmp_path / "trial.onnx", cache=cache, steps=4, check_every=2, batch=4, seconds=2.0, workers=0,
        valid_scenes=4, scenes=16, average=0.5, bfloat16=False,
    )  # fmt: skip


def tuned(data: Path, study: Path, *options: object, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """`earwitness tune` as a process."""
    file = study.with_name("run.toml")
    file.write_text(
        f'cache = "{study.with_name("cache")}"\nbatch = 4\nseconds = 2.0\nscenes = 16\nworkers = 0\nvalid_scenes = 4\n'
        "bfloat16 = false\n"
    )
    command = ["-m", "sed", "tune", "--data", data, "--config", file, "--study", study, "--steps", 4, *options]
    typed = [sys.executable, *map(str, command)]
    return subprocess.run(typed, capture_output=True, text=True, env=dict(given), timeout=SECONDS, check=False)


def test_a_study_on_the_cores_of_this_machine(data: Path, tmp_path: Path) -> None:
    study, mark = tmp_path / "mine.db", secrets.token_hex(8)
    given = environment(**{MARK: mark})
    done = tuned(data, study, "--trials", 2, "--ray", "local", "--at-once", 2, given=given)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{study.with_suffix('.toml')}: loss on valid scenes ")
    assert len(done.stdout.splitlines()) == 1
    assert all(line.startswith("earwitness: trial ") for line in done.stderr.splitlines()), done.stderr
    kept = optuna.load_study(study_name=None, storage=f"sqlite:///{study}")
    assert [trial.state for trial in kept.trials] == [TrialState.COMPLETE] * 2
    for trial in kept.trials:
        assert set(trial.params) == set(SPACE)
        assert list(trial.intermediate_values) == [*range(1, 5)]  # `tune` checks eight times, or at every step
        assert trial.value == min(trial.intermediate_values.values())
    assert study.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    assert not list(study.with_name("cache").glob("*.pt"))
    eventually(lambda: not marked(mark), 60.0)


def test_trials_are_as_without_ray(settings: TrainSettings, tmp_path: Path) -> None:
    from sed.train.raytrials import Trials

    study = opened(tmp_path / "mine.db", settings)
    trials = Trials(study, SPACE, None)
    first = trials.suggest("a")
    assert first == ask(opened(tmp_path / "other.db", settings).ask())
    for step, loss in ((2, 0.5), (4, 0.7)):
        assert not trials.hopeless("a", {"step": step, "loss": loss, "over": False})
    assert not trials.hopeless("a", {"step": 4, "loss": 0.7, "over": True})
    trials.on_trial_complete("a")
    trials.suggest("b")
    trials.hopeless("b", {"step": 2, "loss": 0.4, "over": False})
    trials.on_trial_complete("b", error=True)  # its machine has gone
    trials.suggest("c")
    trials.hopeless("c", {"step": 2, "loss": 0.3, "over": False})
    trials.on_trial_complete("c")  # stopped from outside
    for _ in range(4):
        study.add_trial(create_trial(value=0.1, intermediate_values={2: 0.1, 4: 0.1}))
    trials.suggest("d")
    assert trials.hopeless("d", {"step": 2, "loss": 0.2, "over": False})
    trials.on_trial_complete("d")
    own = [study.trials[n] for n in (0, 1, 2, 7)]
    assert [trial.state.name for trial in own] == ["COMPLETE", "FAIL", "FAIL", "PRUNED"]
    assert [trial.value for trial in own] == [0.5, None, None, 0.2]
    assert own[0].intermediate_values == {2: 0.5, 4: 0.7}
    assert Trials(study, SPACE, 0.0).suggest("e") == "FINISHED"


def test_an_address_without_a_cluster_is_told(settings: TrainSettings, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(EarwitnessError, match=rf"--ray {address}: no Ray cluster answers there .*'ray start --head'"):
        tune_on(address, settings, tmp_path / "mine.db", Effort(1), None)
    with pytest.raises(UsageError, match=r"--ray ray://.*: tune must run on a machine of the cluster"):
        tune_on(f"ray://{address}", settings, tmp_path / "mine.db", Effort(1), None)


def test_ray_that_is_not_installed_is_told(
    settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"needs Ray; pip install 'earwitness\[cluster\]'"):
        tune_on("local", settings, tmp_path / "mine.db", Effort(1), None)


def test_enough_trials_need_no_cluster(settings: TrainSettings, tmp_path: Path) -> None:
    study = opened(tmp_path / "mine.db", settings)
    study.add_trial(create_trial(value=0.5))
    assert len(tune_on("127.0.0.1:1", settings, tmp_path / "mine.db", Effort(1), None).trials) == 1


@pytest.mark.scale
def test_a_study_on_two_nodes_goes_on_with_and_without_them(data: Path, tmp_path: Path) -> None:
    """Begun here, gone on with there, told what is wrong with the data there."""
    study, broken = tmp_path / "mine.db", tmp_path / "broken"
    (tmp_path / "cache").mkdir()
    assert tuned(data, study, "--trials", 1, given=environment()).returncode == 0
    with Nodes() as nodes:
        done = tuned(data, study, "--trials", 4, "--ray", nodes.address, given=nodes.environment)
        assert done.returncode == 0, done.stderr
        (broken / "audio").mkdir(parents=True)
        (broken / "clips.csv").write_text(
            "path,class,split\n"
            + "".join(f"audio/{name}.wav,{name},train\naudio/{name}.wav,{name},valid\n" for name in NAMES)
        )
        for name in NAMES:
            (broken / "audio" / f"{name}.wav").write_bytes(b"no sound")
        done = tuned(broken, tmp_path / "no.db", "--label", "siren", "--trials", 2, "--ray", nodes.address,
                     given=nodes.environment)  # fmt: skip
        assert done.returncode == 1
        assert "tune: no trial went to its end; one said: " in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
    kept = optuna.load_study(study_name=None, storage=f"sqlite:///{study}")
    assert len(finished(kept)) == 4
    assert len({trial.params["learning_rate"] for trial in kept.trials}) == 4
    assert all(math.isfinite(trial.value or math.nan) for trial in finished(kept))


def test_a_trial_is_no_training(settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="tune: runs in one process; start it without torchrun"):
        tune(settings, tmp_path / "mine.db", Effort(1))
