"""What travels with a model, as a JSON document under the key `earwitness` of its ONNX file."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

KEY = "earwitness"
"""The key of the document in the ONNX file's metadata."""

Score = Annotated[float, Field(ge=0.0, le=1.0)]
Seconds = Annotated[float, Field(ge=0.0, le=86_400.0)]


class Settings(BaseModel):
    """Frozen values, checked at birth; a key that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class FrontendSettings(Settings):
    """The log-mel frontend a model was trained with."""

    sample_rate: int = Field(16_000, ge=4_000, le=192_000, description="Hz")
    window: int = Field(512, ge=16, le=65_536, description="samples, also the length of the FFT")
    hop: int = Field(160, ge=1, le=65_536, description="samples")
    mels: int = Field(64, ge=4, le=512)
    low_hz: float = Field(50.0, ge=0.0)
    high_hz: float = Field(8_000.0, gt=0.0)
    floor: float = Field(1e-10, gt=0.0, description="added to the mel power before the logarithm")

    @model_validator(mode="after")
    def _band(self) -> Self:
        if not self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ValueError(
                f"need low_hz < high_hz <= sample_rate / 2, got {self.low_hz:g}, {self.high_hz:g}, {self.sample_rate}"
            )
        if self.hop > self.window:
            raise ValueError(f"need hop <= window, got hop={self.hop}, window={self.window}")
        return self


class Rule(Settings):
    """When a label's scores make an event: hysteresis, then gaps are filled, then short events are dropped.

    A score reaches `on` to begin and falls below `off` to pause. The onset is where it rose above `off` on its way to
    `on`, at most `max_rise` seconds before. Pauses of at most `max_gap` seconds are part of the event; an event shorter
    than `min_duration` seconds is none; for `cooldown` seconds after an event's offset no new one is told. `median`
    smooths the scores first (an odd number of rows; 1 leaves them as they are).
    """

    on: Score = 0.5
    off: Score = 0.3
    min_duration: Seconds = 0.0
    max_gap: Seconds = 0.2
    max_rise: Seconds = 0.0
    cooldown: Seconds = 0.0
    median: int = Field(1, ge=1, le=999)
    alert: bool = True

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.off > self.on:
            raise ValueError(f"need 0 <= off <= on <= 1, got off={self.off:g}, on={self.on:g}")
        if self.median % 2 == 0:
            raise ValueError(f"need an odd number of rows, got median={self.median}")
        return self


def alerting(rules: Mapping[str, Rule]) -> tuple[str, ...]:
    """The labels that are told of, in the order of the rules."""
    return tuple(label for label, rule in rules.items() if rule.alert)


class Heard(Settings):
    """The log-mel frames of a training set: what a microphone's can be held against."""

    mean: tuple[float, ...] = Field(description="dB, a value for each mel band")
    spread: tuple[Annotated[float, Field(gt=0.0)], ...] = Field(description="standard deviation, dB")


class Metadata(Settings):
    """The document inside a model file."""

    name: str = Field(min_length=1)
    version: str
    labels: tuple[str, ...] = Field(min_length=1)
    frontend: FrontendSettings
    stride: int = Field(4, ge=1, description="log-mel frames per row of scores")
    look_ahead: int = Field(0, ge=0, description="rows of scores by which the graph's output lags behind its input")
    rules: dict[str, Rule]
    licence: str
    heard: Heard | None = Field(None, description="in training")
    training: dict[str, Any] = Field(default_factory=dict, description="data, splits, steps, command")
    scores: dict[str, Any] = Field(default_factory=dict, description="what was measured, on what")

    @model_validator(mode="after")
    def _labels(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels are not unique: {', '.join(self.labels)}")
        if set(self.rules) != set(self.labels):
            raise ValueError(f"rules for {sorted(self.rules)}, labels are {sorted(self.labels)}")
        return self

    @model_validator(mode="after")
    def _bands(self) -> Self:
        if self.heard is not None:
            mels, lengths = self.frontend.mels, (len(self.heard.mean), len(self.heard.spread))
            if lengths != (mels, mels):
                raise ValueError(f"heard: need mean and spread of {mels} mel bands, got {lengths[0]} and {lengths[1]}")
        return self

    @property
    def hop(self) -> int:
        """Samples per row of scores."""
        return self.stride * self.frontend.hop

    @property
    def ahead(self) -> int:
        """Samples after a row's end that have to be heard before its scores are known."""
        return self.look_ahead * self.hop + self.frontend.window - self.frontend.hop

    @property
    def lead(self) -> int:
        """Samples to leave out at first, for the scores of a row to be known after a whole number of rows of sound."""
        return -(self.frontend.window - self.frontend.hop) % self.hop

    @property
    def period(self) -> float:
        """Seconds per row of scores."""
        return self.hop / self.frontend.sample_rate
