"""What pydantic found wrong, as lines for people: key, rule, value, and the nearest valid key."""

import difflib
import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

_SHOWN = 60  # characters of a value


def complaints(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """One line an error, `rules.siren.on: should be less than or equal to 1, got 1.5`; no secret is ever shown."""
    return [printable(_line(item, root)) for item in error.errors(include_url=False)]


def printable(text: str) -> str:
    """One line that steers no terminal, whatever somebody wrote into a key."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'on'?`, or what there is."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"


def _line(item: Any, root: type[BaseModel]) -> str:
    loc: tuple[int | str, ...] = item["loc"]
    key = _key(loc)
    if item["type"] == "extra_forbidden":
        return f"{key}: no such key, {nearest(str(loc[-1]), _model_at(root, loc[:-1]).model_fields)}"
    if item["type"] == "missing":
        return f"{key}: missing"
    if item["type"] == "value_error":  # a validator of ours, which says what it got
        return f"{key}: {item['ctx']['error']}" if key else str(item["ctx"]["error"])
    if item["type"] == "model_type":
        return f"{key}: should be a table, got {_shown(loc, item['input'])}"
    return f"{key}: {_rule(item['msg'])}, got {_shown(loc, item['input'])}"


def _rule(text: str) -> str:
    """Pydantic's words with TOML's nouns."""
    text = text.removeprefix("Input ").removeprefix("String ")
    return text.replace("valid dictionary", "table").replace("valid tuple", "list of tables")


def _key(loc: tuple[int | str, ...]) -> str:
    """As one would write it: `source[1].gain_db`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _shown(loc: tuple[int | str, ...], value: object) -> str:
    if "password" in loc:
        return "something else"
    if isinstance(value, Mapping):
        return "a table"  # there may be a secret in it
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return "a list of tables"
    text = re.sub("://[^'\"]*@", "://...@", repr(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _model_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The model whose keys stand at `loc`."""
    kind: Any = model
    for part in loc:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = kind.model_fields[str(part)].annotation
        else:  # a list's item, a table's value
            kind = get_args(kind)[0 if isinstance(part, int) else 1]
        kind = _without_none(kind)
    found: type[BaseModel] = kind
    return found


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        return next(arg for arg in get_args(kind) if arg is not type(None))
    return kind
