"""All that is answered, put together."""

import logging
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.types import ASGIApp

from sed.config import merged_rules
from sed.errors import SinkError, UsageError
from sed.history.verdicts import NoSuchEvent
from sed.shipped import model_path
from sed.web.access import COOKIE, Access
from sed.web.classifier import Classifier
from sed.web.classify import classify
from sed.web.clips import clips
from sed.web.events import events
from sed.web.feed import Feed
from sed.web.guard import Guard
from sed.web.hub import Hub
from sed.web.live import live
from sed.web.login import login
from sed.web.refusal import refusals
from sed.web.site import Site
from sed.web.status import status
from sed.web.view import View

STATUS: dict[type[Exception], int] = {NoSuchEvent: 404, UsageError: 422, SinkError: 503}
"""What an error of ours is in HTTP."""

REFUSALS = {
    400: "Not a request",
    401: "Give the token, or log in",
    403: "Asked for by another page",
    413: "Too large a body",
    411: "A body without its length",
    421: "This computer is not known by that name",
    422: "Not what can be asked for",
    503: "The journal cannot be read",
}

_LOG = logging.getLogger(__name__)


class Answers:
    """What one server needs: its application, and who is behind it."""

    def __init__(self, view: View, access: Access, feeds: Mapping[str, Feed]) -> None:
        """`view.config` is set; `feeds` by source."""
        self._hub = Hub(feeds, view.state, lambda: view.config.may_keep_audio)
        self._classifier = Classifier(model_path(view.config.model), lambda: merged_rules(view.config, view.metadata))
        routers = [
            status(view, access.guarded), events(view, self._hub.tell), clips(view, self._classifier),
            live(self._hub), classify(self._classifier),
        ]  # fmt: skip
        self.application: ASGIApp = Guard(_api(routers, access), access)

    def end(self) -> None:
        """Nobody watches any more, and nothing is listened to; in the server's thread."""
        self._hub.close()
        self._classifier.close()


def _api(routers: Sequence[APIRouter], access: Access) -> FastAPI:
    api = FastAPI(
        title="earwitness",
        version=version("earwitness"),
        summary="What is heard, what was heard, and what is in a recording.",
        docs_url=None,  # their scripts would come from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    for error in STATUS:
        api.add_exception_handler(error, _told)
    api.add_exception_handler(RequestValidationError, _misunderstood)  # type: ignore[arg-type]  # of that kind
    api.add_exception_handler(Exception, _unforeseen)
    ways = [Depends(HTTPBearer(auto_error=False)), Depends(APIKeyCookie(name=COOKIE, auto_error=False))]
    answers = refusals(REFUSALS)
    for router in routers:
        api.include_router(router, dependencies=ways if access.guarded else [], responses=answers)
    api.include_router(login(access))
    api.mount("/", Site(), name="page")
    return api


def _told(_: Request, error: Exception) -> JSONResponse:
    number = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    return JSONResponse({"detail": str(error)}, number)


def _misunderstood(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return JSONResponse({"detail": f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}"}, 422)


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("http: %s %s: %s: %s", request.method, request.url.path, type(error).__name__, error)
    _LOG.debug("it came from here", exc_info=error)
    return JSONResponse({"detail": "something went wrong here; the daemon's log says what"}, 500)
