"""What a training run can be told."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from sed.metadata import FrontendSettings, Settings
from sed.train.recipe import RECIPES
from sed.train.recipe import Recipe as Making
from sed.train.spectral import SPECTRALS
from sed.train.spectral import Spectral as Changing
from sed.train.switches import Augment, AugmentFrames

Recipe = Literal["training", "varied", "broad", "rich"]
Spectral = Literal["plain", "strong", "rich"]


class Lesson(Settings):
    """What is different in a part of a training; what it does not say is as for all."""

    recipe: Recipe | None = None
    augment: Augment | None = None
    spectral: Spectral | None = None
    augment_frames: AugmentFrames | None = None
    scenes: int | None = Field(None, ge=1)
    steps: int | None = Field(None, ge=1)
    seed: int | None = Field(None, ge=0)
    learning_rate: float | None = Field(None, gt=0.0)
    brief: float | None = Field(None, ge=0.0, le=1.0)
    auxiliary: tuple[str, ...] | None = None


class Member(Lesson):
    """One of several networks that learn apart."""

    then: tuple[Lesson, ...] = ()


class TrainSettings(Settings):
    """One training run; the same settings and seed give the same model when `minutes` does not cut it short."""

    data: Path = Field(description="a folder with clips.csv and the audio it names")
    out: Path = Field(description="the model file to write")
    labels: tuple[str, ...] = Field(("siren", "gun_shot", "glass_break"), min_length=1)
    extra: tuple[str, ...] = Field((), description="labels that are scored besides and raise no alert by themselves")
    extra_weight: float = Field(0.3, ge=0.0, description="of an extra label's rows in the loss; a label's is 1")
    auxiliary: tuple[str, ...] = Field((), description="classes that are learnt besides and left out of the model")
    auxiliary_weight: float = Field(0.1, ge=0.0, description="of an auxiliary class's rows in the loss")
    brief: float = Field(0.0, ge=0.0, le=1.0, description="how much more short events count; see brevity.py")
    steps: int = Field(18_000, ge=1, description="batches to learn from")
    minutes: float | None = Field(None, gt=0.0, description="end early after this long; the schedule is shortened")
    seed: int = Field(0, ge=0)
    batch: int = Field(32, ge=1, description="scenes")
    seconds: float = Field(10.0, ge=1.0, le=120.0, description="of a scene")
    channels: tuple[int, int, int, int] = Field((16, 32, 48, 64), description="of the convolutions")
    units: int = Field(128, ge=4, description="of the GRU, or of the TCN's blocks")
    network: Literal["crnn", "tcn"] = Field("crnn", description="what hears the past: a GRU, or the blocks of tcn.py")
    look_ahead: int = Field(3, ge=0, description="rows of scores by which the network may lag")
    learning_rate: float = Field(3e-3, gt=0.0)
    schedule: Literal["one_cycle", "cosine"] = Field("one_cycle", description="of the learning rate; see schedule.py")
    weight_decay: float = Field(1e-2, ge=0.0)
    scenes: int = Field(24_000, ge=1, description="mixed once, then learnt from again and again, varied every time")
    loss: Literal["bce", "focal"] = Field("bce", description="of each row; see losses.py")
    focal_gamma: float = Field(2.0, ge=0.0, description="how little a well known row counts in the focal loss")
    segments: float = Field(0.0, ge=0.0, description="weight of the loss of whole seconds; see segments.py")
    dropout: tuple[float, float] = Field((0.0, 0.1), description="shares dropped before and after the GRU or blocks")
    recipe: Recipe = Field("training", description="how scenes are made; see recipe.py")
    augment: Augment = Field({}, description="fields that are other than the recipe's; a part's own table replaces it")
    spectral: Spectral = Field("plain", description="how frames are changed; see spectral.py")
    augment_frames: AugmentFrames = Field({}, description="the same, for the fields of `spectral`")
    members: tuple[Member, ...] = Field((), description="networks that learn apart and ship as one; see ensemble.py")
    then: tuple[Lesson, ...] = Field((), description="second lessons, each from the first one's weights; see soup.py")
    begin: str | None = Field(None, description="a run whose last weights, kept in the cache, are this one's first")
    front: float = Field(0.0, ge=0.0, le=1.0, description="rate of all layers but the last in fine-tuning, as a share")
    finetune: str | None = Field(None, description="a model whose weights are the first ones; see finetune.py")
    average: float = Field(0.9985, ge=0.0, lt=1.0, description="decay of the running mean of the weights")
    bfloat16: bool = Field(True, description="compute in bfloat16, on a GPU without it in float16; see device.py")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto is a CUDA GPU where there is one")
    threads: int = Field(1, ge=1)
    jobs: int = Field(1, ge=1, description="members that learn at once, each in a process; see abreast.py")
    workers: int = Field(1, ge=0, description="processes that mix scenes; 0 mixes in the training process")
    check_every: int = Field(1000, ge=1, description="steps from one check on valid, and checkpoint, to the next")
    patience: int | None = Field(None, ge=1, description="end after so many checks in vain, with the best weights")
    log_dir: Path | None = Field(None, description="a folder for the run's log.csv and TensorBoard's files")
    budget: float = Field(4.0, ge=0.0, description="false alarms an hour of a label, within which its rule is chosen")
    budget_on: dict[str, float] = Field({}, description="budgets of their own for kinds of scenes, counted apart")
    exam: Literal["mixtures", "scenes"] = Field(
        "mixtures", description="what rules are chosen and figures taken on: mixtures, or those of `earwitness scenes`"
    )
    valid_scenes: int = Field(600, ge=1, description="scenes on which the rules are chosen")
    frontend: FrontendSettings = FrontendSettings()
    cache: Path | None = Field(None, description="decoded audio and checkpoints; default: the user's cache folder")
    resume: bool = Field(False, description="go on from the checkpoint of an interrupted run")
    config: Path | None = Field(None, description="the file that other settings came from, for the record")
    name: str = Field("mine", min_length=1)
    version: str = "0.1.0"
    licence: str = "MIT"

    @model_validator(mode="after")
    def _members(self) -> Self:
        if self.members and (len(self.members) < 2 or self.network != "crnn"):
            raise ValueError("members: takes two or more networks of the kind 'crnn'")
        if self.jobs > 1 and not self.members:
            raise ValueError("jobs: is for members that learn at once; for one network, threads")
        if self.members and (self.finetune or self.begin):
            raise ValueError("members: learn from fresh weights; leave out finetune and begin, or the members")
        return self

    @model_validator(mode="after")
    def _classes(self) -> Self:
        if twice := set(self.auxiliary) & set(self.scored):
            raise ValueError(f"auxiliary: {', '.join(sorted(twice))} is a label of the model already")
        if self.auxiliary and self.finetune:
            raise ValueError("auxiliary: a trained model has none; leave out finetune or auxiliary")
        return self

    @property
    def scored(self) -> tuple[str, ...]:
        """All labels of the model."""
        return (*self.labels, *self.extra)

    @property
    def learnt(self) -> tuple[str, ...]:
        """All classes that are learnt, those of the model first."""
        return (*self.scored, *self.auxiliary)

    @property
    def making(self) -> Making:
        """How scenes are made: the recipe, changed by `augment`."""
        return replace(RECIPES[self.recipe], **self.augment)

    @property
    def changing(self) -> Changing:
        """How frames are changed: what `spectral` names, changed by `augment_frames`."""
        return replace(SPECTRALS[self.spectral], **self.augment_frames)
