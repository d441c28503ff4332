"""What was heard, and what people say about it: `/events`, `/counts`, `/clips`, and verdicts."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import chain, islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from sed.errors import UsageError
from sed.history.event import WholeEvent
from sed.history.filter import Filter
from sed.history.reader import History
from sed.history.verdicts import Verdicts
from sed.message import Message, rfc3339
from sed.web.clips import Id
from sed.web.refusal import refusals
from sed.web.view import View

LONGEST = 1_000
"""Events of one answer in JSON."""

ROWS = 500
"""Lines of CSV that are sent at once."""

COLUMNS = (
    "id", "node", "source", "label", "onset", "offset", "duration", "score", "level_dbfs", "lost_samples", "model",
    "clip", "detected_at", "verdict", "verdict_label", "verdict_at", "verdict_by", "verdict_comment",
)  # fmt: skip


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


NONE = refusals({404: "There is none, or none any more"})


class Judged(BaseModel):
    """What somebody said of an event."""

    verdict: str
    label: str | None
    at: Moment
    by: str | None
    comment: str | None


class Listed(BaseModel):
    """An event from its start to its end, as far as it is known; times are RFC 3339 in UTC, durations seconds."""

    id: str
    node: str
    source: str
    label: str
    onset: Moment
    offset: Moment | None
    duration: float | None
    score: float
    level_dbfs: float
    lost_samples: int
    model: str
    clip: str | None
    detected_at: Moment | None
    open: bool
    verdict: Judged | None


class Events(BaseModel):
    """A page of events, newest first; `next` is what `after` has to be for the one that follows."""

    events: list[Listed]
    next: str | None


class Slot(BaseModel):
    """How many events of a label began at a source in the time from `begin` on."""

    begin: Moment
    label: str
    source: str
    count: int


class Counts(BaseModel):
    """Slots of equal length; empty ones are left out."""

    counts: list[Slot]


class Judgement(BaseModel):
    """A verdict on an event; null takes back the one before, `label` goes with `other` and only with it."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["right", "wrong", "other"] | None
    label: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    comment: Annotated[str, Field(max_length=1_000)] | None = None


def chosen(
    label: Annotated[list[str] | None, Query(description="any of these")] = None,
    source: Annotated[list[str] | None, Query(description="any of these")] = None,
    since: Annotated[datetime | None, Query(description="RFC 3339 with a zone; of the onset")] = None,
    until: Annotated[datetime | None, Query(description="before this moment")] = None,
    min_score: Annotated[float | None, Query(ge=0.0, le=1.0)] = None,
    verdict: Literal["right", "wrong", "other", "given", "none"] | None = None,
) -> Filter:
    """The events that are asked for. Raises UsageError."""
    return Filter(
        labels=tuple(label or ()), sources=tuple(source or ()), since=since, until=until, min_score=min_score,
        verdict=verdict,
    )  # fmt: skip


def events(view: View, tell: Callable[[str, Message], None]) -> APIRouter:
    """All that looks back; `tell` is for those who watch, in the server's thread."""
    router, path = APIRouter(tags=["events"]), view.config.journal.path
    history, verdicts = History(path), Verdicts(path)

    @router.get("/events", response_model=Events, responses={200: {"content": {"text/csv": {}}}})
    def listed(
        request: Request,
        which: Annotated[Filter, Depends(chosen)],
        limit: Annotated[int, Query(ge=1, le=LONGEST)] = 100,
        after: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
        format: Annotated[Literal["json", "csv"] | None, Query(description="or by Accept")] = None,  # noqa: A002
    ) -> Any:
        """Events, newest first: a page of them as JSON, or all of them as CSV."""
        if (format or _accepted(request)) == "csv":
            headers = {"content-disposition": 'attachment; filename="events.csv"'}
            return StreamingResponse(_lines(history.walk(which)), media_type="text/csv", headers=headers)
        page = history.events(which, limit, after)
        return {"events": [event.document() for event in page.events], "next": page.next}

    @router.get("/counts", response_model=Counts)
    def counts(
        which: Annotated[Filter, Depends(chosen)],
        every: Annotated[float, Query(ge=60.0, le=31_536_000.0, description="seconds")] = 3_600.0,
    ) -> Any:
        """How many events there were, by time, label and source."""
        return {"counts": [asdict(slot) | {"begin": rfc3339(slot.begin)} for slot in history.counts(which, every)]}

    @router.get("/events/{id}", response_model=Listed, responses=NONE)
    def one(id: Id) -> Any:  # noqa: A002
        """An event."""
        return _found(history.event(id), id).document()

    @router.post("/events/{id}/verdict", response_model=Listed, responses=NONE)
    async def judge(id: Id, judgement: Judgement) -> Any:  # noqa: A002
        """Say whether it was right, wrong, or something else; the last word counts."""
        told = await run_in_threadpool(_judged, id, judgement)
        tell("verdict", {"id": id, "verdict": told["verdict"]})
        return told

    def _judged(id: str, judgement: Judgement) -> Message:  # noqa: A002
        if judgement.verdict is None:
            if judgement.label or judgement.comment:
                raise UsageError("label and comment go with a verdict, got none")
            verdicts.withdraw(id)
        else:
            verdicts.give(id, judgement.verdict, judgement.label, comment=judgement.comment)
        return _found(history.event(id), id).document()

    return router


def _found(event: WholeEvent | None, id: str) -> WholeEvent:  # noqa: A002
    if event is None:
        raise HTTPException(404, f"{id}: no such event, or none any more")
    return event


def _accepted(request: Request) -> str:
    return "csv" if request.headers.get("accept", "").lower().startswith("text/csv") else "json"


def _lines(found: Iterator[WholeEvent]) -> Iterator[str]:
    """CSV with a header (RFC 4180)."""
    for first in chain([None], found):
        text = io.StringIO()
        writer = csv.writer(text)
        if first is None:
            writer.writerow(COLUMNS)
        else:
            writer.writerows(map(_row, chain([first], islice(found, ROWS - 1))))
        yield text.getvalue()


def _row(event: WholeEvent) -> list[object]:
    document = event.document()
    verdict = event.verdict.document() if event.verdict else {}
    flat = {**document, "verdict": verdict.get("verdict")} | {f"verdict_{key}": value for key, value in verdict.items()}
    return [flat.get(column) for column in COLUMNS]
