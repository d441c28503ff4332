"""Switches of augmentation that a run sets by itself: fields of `Recipe` and `Spectral`, checked at birth."""

from collections.abc import Mapping
from functools import partial
from math import isclose
from typing import Annotated, Any, Final, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, Strict, ValidationError, create_model
from pydantic_core import InitErrorDetails

from sed.complaints import nearest
from sed.metadata import Settings
from sed.train.recipe import Recipe
from sed.train.spectral import Spectral


def switches(of: type[Any], **others: Any) -> AfterValidator:
    """A check that a table holds fields of the dataclass `of` alone; returns those that are in it.

    A number is a probability, a pair goes from lower to higher, unless `others` says what a field is.
    """
    kinds = {name: others.get(name, _USUAL.get(kind, kind)) for name, kind in get_type_hints(of).items()}
    fields: dict[str, Any] = {name: (kind, None) for name, kind in kinds.items()}
    return AfterValidator(partial(_checked, create_model(of.__name__, __base__=Settings, **fields)))


def _checked(model: type[Settings], told: dict[str, Any]) -> dict[str, Any]:
    known = model.model_fields
    if unknown := [_unknown(name, known) for name in told if name not in known]:
        raise ValidationError.from_exception_data(model.__name__, unknown)
    return model.model_validate(told).model_dump(exclude_unset=True)


def _unknown(name: str, known: Mapping[str, object]) -> InitErrorDetails:
    told = ValueError(f"no such key, {nearest(name, known)}")
    return InitErrorDetails(type="value_error", loc=(name,), input=None, ctx={"error": told})


def _list(told: object) -> object:
    if not isinstance(told, list | tuple):
        raise ValueError(f"need a list, got {told!r:.60}")
    return told


def _two(told: object) -> object:
    if not isinstance(told, list | tuple) or len(told) != 2:
        raise ValueError(f"need two numbers, got {told!r:.60}")
    return told


def _rising(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"need the lower number first, got {list(pair)}")
    return pair


def _whole(shares: tuple[float, ...]) -> tuple[float, ...]:
    if not isclose(sum(shares), 1.0, rel_tol=0.0, abs_tol=1e-8):  # what numpy's choice puts up with
        raise ValueError(f"need probabilities that sum to 1, got {list(shares)}")
    return shares


_PAIR: Final = BeforeValidator(_two)
_RISING: Final = AfterValidator(_rising)
_LIST: Final = BeforeValidator(_list)

_Number = Annotated[float, Strict()]  # true is no number
_Amount = Annotated[_Number, Field(ge=0.0)]
_Probability = Annotated[_Number, Field(ge=0.0, le=1.0)]
_Level = Annotated[_Number, Field(ge=-200.0, le=200.0)]  # dB, or semitones
_Speed = Annotated[_Number, Field(ge=0.1, le=10.0)]  # times as fast
_Hertz = Annotated[_Number, Field(ge=100.0, le=100_000.0)]
_Levels = Annotated[tuple[_Level, _Level], _PAIR, _RISING]
_Speeds = Annotated[tuple[_Speed, _Speed], _PAIR, _RISING]
_Band = Annotated[tuple[_Hertz, _Hertz], _PAIR, _RISING]
_Probabilities = Annotated[tuple[_Probability, ...], _LIST]
_Counts = Annotated[_Probabilities, AfterValidator(_whole)]  # of none, one, two ...
_Names = Annotated[tuple[str, ...], _LIST]

_USUAL: Final[Mapping[Any, Any]] = {
    float: _Probability,
    tuple[float, float]: _Levels,
    tuple[float, ...]: _Probabilities,
    Mapping[str, tuple[str, ...]]: dict[str, _Names],
}

Augment = Annotated[
    dict[str, Any],
    switches(
        Recipe, events=_Counts, distractors=_Counts, certainty=_Amount, busy=_Amount, speeds=_Speeds,
        stretches=_Speeds, bands=_Band,
    ),
]  # fmt: skip
"""Fields of `Recipe`."""
AugmentFrames = Annotated[dict[str, Any], switches(Spectral, response=_Amount, widest=_Amount, longest=_Amount)]
"""Fields of `Spectral`."""
