"""How every error is told."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response


class Refusal(BaseModel):
    """Why not, in one line for people."""

    detail: str


def refused(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Before the application, or beside it."""
    return JSONResponse({"detail": detail}, status, headers)


def refusals(texts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """By status, as an OpenAPI document has them."""
    return {status: {"model": Refusal, "description": text} for status, text in texts.items()}
