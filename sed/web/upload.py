"""A recording on its way in: onto the disk as it comes, and refused as soon as it is too much."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import BinaryIO

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

LARGEST = 20_000_000
"""Bytes of a recording."""

FRAME = 20_000
"""Bytes that a form may need beside it."""

SECONDS = 25.0
"""How long it may take to come; soon after, the connection is hung up on."""

_CLOSE = {"connection": "close"}


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[str]:
    """A path to the recording in a request's body, raw or in a form; the file is gone afterwards.

    It has no name that could stay behind. Raises HTTPException.
    """
    form = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    limit = LARGEST + FRAME if form else LARGEST
    if int(request.headers.get("content-length", "0")) > limit:
        raise _too_large()
    with await _file(request, limit, form) as file:
        number = file.fileno()  # a form's small file comes onto the disk only now
        file.flush()
        yield f"/proc/self/fd/{number}"


async def _file(request: Request, limit: int, form: bool) -> BinaryIO:
    try:
        async with asyncio.timeout(SECONDS):
            return await (_unpacked if form else _spooled)(request, limit)
    except TimeoutError as error:
        raise HTTPException(408, f"the recording did not come within {SECONDS:g} s", _CLOSE) from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the recording did not come to its end", _CLOSE) from error
    except OSError as error:
        raise HTTPException(503, "no room for the recording on this computer", _CLOSE) from error


async def _spooled(request: Request, limit: int) -> BinaryIO:
    with ExitStack() as opened:
        file = opened.enter_context(tempfile.TemporaryFile())
        async for chunk in _bounded(request, limit):
            file.write(chunk)
        opened.pop_all()
        return file


async def _unpacked(request: Request, limit: int) -> BinaryIO:
    try:
        parts = await MultiPartParser(request.headers, _bounded(request, limit), max_files=1, max_fields=8).parse()
    except (MultiPartException, ValueError) as error:  # the latter is what older parsers raise
        raise HTTPException(400, f"not a form as its header says: {error}") from error
    found = next((part for part in parts.values() if isinstance(part, UploadFile)), None)
    if found is None:
        raise HTTPException(422, "there is no file in the form; send the recording as 'file'")
    return found.file


async def _bounded(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise _too_large()
        yield chunk


def _too_large() -> HTTPException:
    return HTTPException(413, f"a recording has at most {LARGEST // 1_000_000} MB here; use 'earwitness detect'")
