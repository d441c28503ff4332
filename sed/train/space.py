"""What `earwitness tune` tries: for each setting, the range or the choices, and how Optuna is asked for one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Between:
    """A number from `low` to `high`, its logarithm drawn evenly if `log`."""

    low: float
    high: float
    log: bool = False

    def ask(self, trial: Any, name: str) -> float:
        """Optuna's proposal for this trial."""
        return float(trial.suggest_float(name, self.low, self.high, log=self.log))


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few values."""

    choices: tuple[str | int, ...]

    def ask(self, trial: Any, name: str) -> str | int:
        """Optuna's proposal for this trial."""
        chosen: str | int = trial.suggest_categorical(name, self.choices)
        return chosen


SPACE: Final[Mapping[str, Between | OneOf]] = {
    "learning_rate": Between(5e-4, 2e-2, log=True),
    "weight_decay": Between(1e-4, 1e-1, log=True),
    "dropout_before": Between(0.0, 0.3),
    "dropout_after": Between(0.0, 0.5),
    "units": OneOf((64, 96, 128, 160)),
    "segments": Between(0.0, 0.5),
    "spectral": OneOf(("plain", "strong", "rich")),
    "schedule": OneOf(("one_cycle", "cosine")),
    "loss": OneOf(("bce", "focal")),
}
"""By the name of the setting; `dropout` is a pair, so that it has two."""

FIXED_BY_A_MODEL: Final = frozenset({"units"})
"""What cannot be tried while fine-tuning."""


def ask(trial: Any, space: Mapping[str, Between | OneOf] = SPACE) -> dict[str, Any]:
    """A value of each setting for this trial, as TrainSettings takes them."""
    return as_settings({name: knob.ask(trial, name) for name, knob in space.items()})


def as_settings(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """What was drawn, three digits of each number, the two shares of dropout as the pair that the setting is."""
    rounded = {name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in drawn.items()}
    shares = [rounded.pop(name, None) for name in ("dropout_before", "dropout_after")]
    return rounded if None in shares else {**rounded, "dropout": tuple(shares)}
