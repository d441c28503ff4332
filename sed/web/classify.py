"""`/classify`: what is in a recording that somebody sends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel

from sed.errors import EarwitnessError
from sed.web.classifier import BusyError, Classified, Classifier
from sed.web.limits import ClosedError, TooLongError
from sed.web.refusal import refusals
from sed.web.upload import received


class Found(BaseModel):
    """An event; onset and offset are seconds from the beginning of the recording."""

    label: str
    onset: float
    offset: float
    score: float
    level_dbfs: float
    flag_for_review: bool


class Answer(BaseModel):
    """The highest score of every label in the whole recording, and the events of those that alert."""

    model: str
    seconds: float
    flag_for_review: bool
    """An event scored nearer to its threshold than to 1, or a label came near its threshold and made no event."""
    labels: dict[str, float]
    events: list[Found]


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"schema": {"type": "object", "properties": {"file": _BINARY["schema"]}, "required": ["file"]}}
_BODY = {
    "requestBody": {
        "required": True,
        "description": "WAV, FLAC, Ogg, MP3 or whatever else libsndfile reads; up to 20 MB and 10 minutes",
        "content": {"application/octet-stream": _BINARY, "audio/*": _BINARY, "multipart/form-data": _FORM},
    }
}
_REFUSALS = {
    400: "It broke off, or is no form",
    408: "It came too slowly",
    413: "Too large, or too long",
    422: "No recording that can be read",
    429: "Others are listened to; try again in a second",
    503: "No room for it, or the daemon ends",
}


def classify(classifier: Classifier) -> APIRouter:
    """The endpoint."""
    router = APIRouter(tags=["recordings"])

    @router.post(
        "/classify",
        response_model=Answer,
        openapi_extra=_BODY,
        responses=refusals(_REFUSALS),
    )
    async def classify(request: Request) -> Any:
        """Listen to a recording with the model and the rules of this daemon; its first channel counts."""
        with explained(), classifier.place():
            async with received(request) as path:
                return _told(await asyncio.wrap_future(classifier.classify(path)))

    return router


@contextmanager
def explained() -> Iterator[None]:
    """What a classifier raises, in HTTP."""
    try:
        yield
    except BusyError as error:
        raise HTTPException(429, "others are listened to; try again in a second", {"retry-after": "1"}) from error
    except (ClosedError, asyncio.CancelledError) as error:
        raise HTTPException(503, "the daemon ends") from error
    except TooLongError as error:
        raise HTTPException(413, str(error)) from error
    except EarwitnessError as error:
        raise HTTPException(422, str(error)) from error


def _told(found: Classified) -> dict[str, Any]:
    events = [
        {
            "label": event.label,
            "onset": round(event.onset, 3),
            "offset": round(event.offset, 3),
            "score": round(event.score, 4),
            "level_dbfs": round(event.level_dbfs, 1) + 0.0,  # no -0.0
            "flag_for_review": found.doubtful(event.label, event.score),
        }
        for event in found.events
    ]
    return {
        "model": found.model,
        "seconds": round(found.seconds, 3),
        "flag_for_review": found.for_review,
        "labels": found.labels,
        "events": events,
    }
