"""`/clips`: the sound of an event, and its picture."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel

from sed.web.classifier import Classifier
from sed.web.classify import explained
from sed.web.refusal import refusals
from sed.web.view import View

KEEP = {"cache-control": "private, max-age=86400"}
"""A clip never changes."""

Id = Annotated[str, InPath(pattern="^[0-7][0-9A-HJKMNP-TV-Z]{25}$", description="of an event")]


class Picture(BaseModel):
    """Log-mel columns and rows of scores in base64, one byte each; /sources tells how many make a column or a row.

    A column's byte is floor_db + step_db * byte in dB, a score is byte / 255.
    """

    begins: str
    seconds: float
    mel: str
    mel_at: str
    scores: str
    scores_at: str


_REFUSALS = refusals(
    {
        403: "privacy.audio = false, or asked for by another page",
        404: "There is none, or none any more",
        416: "No such range",
        429: "Others are listened to; try again in a second",
    }
)


def clips(view: View, classifier: Classifier) -> APIRouter:
    """Both."""
    router = APIRouter(tags=["events"])

    @router.head("/clips/{id}.flac", include_in_schema=False)
    @router.get(
        "/clips/{id}.flac",
        response_class=FileResponse,
        responses={
            200: {"content": {"audio/flac": {}}},
            206: {"description": "The range that was asked for"},
            **_REFUSALS,
        },
    )
    def sound(id: Id) -> Response:  # noqa: A002
        """The sound of an event, with what came before and after."""
        return FileResponse(_clip(view, id), media_type="audio/flac", headers=KEEP)

    @router.get(
        "/clips/{id}/scores",
        response_model=Picture,
        responses=_REFUSALS,
    )
    async def picture(id: Id) -> Any:  # noqa: A002
        """What the model makes of a clip, to be drawn; the shape of a `sound` message of the stream."""
        with explained(), classifier.place():
            path = await run_in_threadpool(_clip, view, id)
            return JSONResponse(await asyncio.wrap_future(classifier.draw(str(path))), headers=KEEP)

    return router


def _clip(view: View, id: str) -> Path:  # noqa: A002
    if not view.config.may_keep_audio:
        raise HTTPException(403, "privacy.audio = false: no sound leaves this program")
    path = view.clip(id)
    if path is None:
        raise HTTPException(404, f"{id}: there is no clip of it, or none any more")
    return path
