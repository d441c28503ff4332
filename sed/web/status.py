"""How all is now: for the page, for whoever watches over services, and for Prometheus."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from sed.metadata import Rule
from sed.web.view import View


class Health(BaseModel):
    """In a word."""

    status: str


class Readiness(BaseModel):
    """Whether alerts come through, and why not: the latter only for those who may ask."""

    ready: bool
    reasons: list[str] | None = None


class Rules(BaseModel):
    """The rules that hold now, by source and label."""

    model: str
    labels: list[str]
    sources: dict[str, dict[str, Rule]]


def status(view: View, guarded: bool) -> APIRouter:
    """Everything that is told of the moment; `guarded` says whether a login is needed."""
    router = APIRouter(tags=["now"])

    @router.get("/sources")
    def sources() -> dict[str, Any]:
        """Node, model, broker, and each source with its state, level and dropped samples."""
        return view.whole() | {"needs_login": guarded}

    @router.get("/rules")
    def rules() -> Rules:
        """The rules of each source and label, with what was ordered over MQTT."""
        return Rules.model_validate(view.rules())

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", responses={503: {"model": Health, "description": "No sound gets through"}})
    def healthz() -> Health:
        """Whether sound gets through to the detector, as systemd's watchdog is told; open to all."""
        if view.flowing():
            return Health(status="ok")
        return JSONResponse({"status": "no sound gets through"}, 503)  # type: ignore[return-value]  # as it is

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", responses={503: {"model": Readiness, "description": "Not all sources are heard"}})
    def readyz(request: Request) -> Readiness:
        """Whether every source is heard and the journal can be read; open to all, reasons for those with the token."""
        reasons = view.unready()
        shown = reasons if request.state.admitted else None
        return JSONResponse({"ready": not reasons, "reasons": shown}, 503 if reasons else 200)  # type: ignore[return-value]

    @router.get("/metrics", response_class=Response, responses={200: {"content": {CONTENT_TYPE_LATEST: {}}}})
    def metrics() -> Response:
        """What Prometheus asks for, as on the port of `[metrics]`."""
        return Response(view.metrics(), media_type=CONTENT_TYPE_LATEST)

    return router
