"""The form that turns the token into a session, and the way out of it."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sed.web.access import COOKIE, Access
from sed.web.guard import logged_in, wrong

FORM = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>earwitness: log in</title>
<link rel="stylesheet" href="/page.css">
<main>
<form class="login" method="post" action="/login">
<h1>earwitness</h1>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
<p role="alert">{complaint}</p>
</form>
</main>
</html>
"""


def login(access: Access) -> APIRouter:
    """`/login` and `/logout`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/login")
    async def form() -> Response:
        return HTMLResponse(FORM.format(complaint="")) if access.guarded else RedirectResponse("/", 303)

    @router.post("/login")
    async def enter(request: Request) -> Response:
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("token", [""])[0]
        if access.is_token(given.strip()):
            return logged_in(access)
        refusal = await wrong()
        return HTMLResponse(FORM.format(complaint="That is not the token."), refusal.status_code)

    @router.post("/logout")
    async def leave() -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
        return answer

    return router
