"""The app's own addresses: signing in and out, one's own password. Served by Streamlit's server beside the screens."""

from __future__ import annotations

import asyncio
import functools
import hmac
import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from medml import accounts, hospital
from medml.errors import UserError, our_fault
from medml.passwords import AT_ONCE
from pages import _ward as ward
from pages import _ward_page as page
from pages._ward_gate import SIGN_IN, cookies_of, is_secure, place_of

LARGEST = 16_384  # bytes of a form
USER = "_streamlit_user"  # the cookie in which Streamlit keeps what the hospital's service said
FORM = "medml_form"  # cookie: a form is answered only where it sends the same word back
TO, TO_SECONDS = "medml_to", 600  # cookie: where somebody wanted to go, while they are at the hospital's service
ENDED = {"1": "You are signed out.",
         "2": "You are signed out: half an hour after your last click, twelve hours after you signed in, or because "
              "your password, role or groups were changed. What was saved is as it was, and work in the queue goes on."}
WAITING = 50  # tries that wait for their turn; beyond that they are sent away
_turns = ThreadPoolExecutor(AT_ONCE, "sign in")
NOT_OURS = "This form was not opened here, or it is too old."
PLAIN = UserError(what="Your browser reaches MedML without encryption, so a password would be read on the way.",
                  fix="Use the address that begins with https; an administrator finds the set-up in deploy/README.md.",
                  code="plain_http")


async def sign_in_page(request: Request) -> Response:
    """The form; who is signed in goes on."""
    to = inside(request.query_params.get("to", "/"))
    token = token_in(request)
    if token and await asyncio.to_thread(ward.look, token, place_of(request.scope)) is not None:
        return RedirectResponse(to, status_code=303)
    note = ENDED.get(request.query_params.get("ended", ""), "")
    answer = with_form(request, lambda word: page.sign_in(word, to=to, note=note, hospital=hospital.is_set_up()))
    if token or "ended" in request.query_params:
        leave_nothing(request, answer)
    return answer


async def sign_in(request: Request) -> Response:
    """Name and password, once; a new token in a cookie where they fit."""
    given = await form_of(request)
    to, name = inside(given.get("to", "/")), given.get("name", "")
    try:
        if not (is_secure(request.scope) or ward.is_local(place_of(request.scope))):
            raise PLAIN
        if not is_own_form(request, given):
            raise UserError(what=NOT_OURS, fix="Try again.", code="form")
        token, _ = await in_turn(accounts.sign_in, name, given.get("password", ""), place=place_of(request.scope),
                                 in_place_of=token_in(request))
    except UserError as refused:
        said = f"{refused.what} {refused.fix}"
        return with_form(request, lambda word: page.sign_in(
            word, to=to, name=name[:200], said=said, hospital=hospital.is_set_up()), status=403)
    return signed_in(request, token, RedirectResponse(to, status_code=303))


async def sign_out(request: Request) -> Response:
    """End the session, here and in the database."""
    given, token = await form_of(request), token_in(request)
    if not is_own_form(request, given):
        return RedirectResponse("/password", status_code=303)
    if token:
        ward.leave(token)
        await asyncio.to_thread(accounts.sign_out, token, place=place_of(request.scope))
        ward.forget(ward.hashed(token))
    answer = RedirectResponse(f"{SIGN_IN}?ended=1", status_code=303)
    leave_nothing(request, answer)
    return answer


async def password_page(request: Request) -> Response:
    """The form for one's own password."""
    person = await asyncio.to_thread(ward.look, token_in(request))
    if person is not None and person.by_hospital:
        return HTMLResponse(page.kept_elsewhere(person.name), headers={"cache-control": "no-store"})
    return with_form(request, lambda word: page.password(word, person.name if person else "",
                                                              once=bool(person and person.once)))


async def change_password(request: Request) -> Response:
    """A new password; the session goes on under a new token, every other one of that account ends."""
    given, token = await form_of(request), token_in(request) or ""
    try:
        if not is_own_form(request, given):
            raise UserError(what=NOT_OURS, fix="Try again.", code="form")
        if given.get("new") != given.get("again"):
            raise UserError(what="The new password was typed in two different ways.", fix="Type it twice again.",
                            code="not_equal")
        fresh = await in_turn(accounts.change_password, token, given.get("old", ""), given.get("new", ""),
                              place=place_of(request.scope))
    except UserError as refused:
        person, said = await asyncio.to_thread(ward.look, token), f"{refused.what} {refused.fix}"
        name, once = (person.name, person.once) if person else ("", False)
        return with_form(request, lambda word: page.password(word, name, said=said, once=once), status=403)
    ward.forget(ward.hashed(token))
    return signed_in(request, fresh, RedirectResponse("/", status_code=303))


async def look(request: Request) -> Response:
    """The style sheet."""
    return FileResponse(page.LOOK, media_type="text/css", headers={"cache-control": "public, max-age=3600"})


async def font(request: Request) -> Response:
    """The letters."""
    return FileResponse(page.FONT, media_type="font/woff2", headers={"cache-control": "public, max-age=86400"})


async def sign(request: Request) -> Response:
    """The picture in the browser's tab."""
    return FileResponse(page.SIGN, media_type="image/png", headers={"cache-control": "public, max-age=86400"})


# ---- the hospital's own service --------------------------------------------------------------------------------

async def to_hospital(request: Request) -> Response:
    """To the hospital's sign-in page, by Streamlit's own route."""
    if not hospital.is_set_up():
        return RedirectResponse(SIGN_IN, status_code=303)
    from streamlit.auth_util import encode_provider_token, validate_auth_credentials
    from streamlit.errors import StreamlitAPIException

    try:
        validate_auth_credentials("default")
    except StreamlitAPIException as error:
        our_fault(error)
        return not_signed_in("Signing in by the hospital’s service is not set up.", "An administrator finds what is "
                             "missing in the log and in deploy/README.md.", 503)
    answer = RedirectResponse(f"/auth/login?{urlencode({'provider': encode_provider_token('default')})}",
                              status_code=303)
    answer.set_cookie(TO, quote(inside(request.query_params.get("to", "/")), safe=""), max_age=TO_SECONDS,
                      path=f"{SIGN_IN}/hospital", httponly=True, samesite="lax", secure=is_secure(request.scope))
    return answer


async def from_hospital(request: Request) -> Response:
    """Back from there: what Streamlit's route has put into its signed cookie becomes a session of ours, once."""
    from streamlit.web.server.starlette.starlette_auth_routes import _get_cookie_value_from_request

    if "away" in request.query_params:
        return not_signed_in("The hospital’s sign-in service could not be asked.", "Try again in a minute. An "
                             "administrator finds what is wrong in the log and in deploy/README.md.", 503)
    content = _get_cookie_value_from_request(request, USER) if hospital.is_set_up() else None
    if content:
        answer = await named_by_hospital(request, json.loads(content))
    elif await asyncio.to_thread(ward.look, token_in(request), place_of(request.scope)) is not None:
        answer = RedirectResponse("/", status_code=303)  # signed in already; this was an earlier way in
    else:  # not in the audit log: anybody may ask for this page as often as they like
        answer = not_signed_in(*hospital.NOBODY, 403)
    for name in cookies_of(request.scope):
        if name.startswith(USER):  # for thirty days otherwise
            answer.delete_cookie(name, path="/")
    return answer


async def named_by_hospital(request: Request, claims: dict[str, Any]) -> Response:
    """A session for whom the hospital's service has named, or why there is none."""
    try:
        token, _ = await asyncio.to_thread(hospital.sign_in, claims, place=place_of(request.scope),
                                           in_place_of=token_in(request))
    except UserError as refused:
        return not_signed_in(refused.what, refused.fix, 403)
    to = inside(unquote(cookies_of(request.scope).get(TO, "/")))
    answer = signed_in(request, token, HTMLResponse(page.through(to)))
    answer.delete_cookie(TO, path=f"{SIGN_IN}/hospital")
    return answer


def not_signed_in(what: str, fix: str, status: int) -> Response:
    """A page that says why, and the way back."""
    return HTMLResponse(page.refused("Not signed in", what, fix), status_code=status,
                        headers={"cache-control": "no-store"})


async def in_turn(work: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """Work with a password: two at a time, in threads of their own, so that a flood of tries holds up no open window.

    raises  UserError where too many wait already
    """
    if _turns._work_queue.qsize() >= WAITING:
        raise UserError(what="Too many people are signing in at this moment.", fix="Try again in a minute.",
                        code="busy")
    return await asyncio.get_running_loop().run_in_executor(_turns, functools.partial(work, *given, **more))


# ---- forms and cookies -----------------------------------------------------------------------------------------

def token_in(request: Request) -> str | None:
    """The token that a browser sent."""
    return ward.token_of(cookies_of(request.scope))


def inside(to: str) -> str:
    """An address of this app, where somebody wanted to go before signing in; anything else is its first screen."""
    own = to.startswith("/") and not to.startswith(("//", "/\\", SIGN_IN, "/sign-out")) and to.isprintable()
    return to if own and len(to) <= 500 and "\\" not in to else "/"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; nothing where it is larger than any of ours, or none."""
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > LARGEST:
            return {}
    try:
        return {name: values[0] for name, values in parse_qs(content.decode(), keep_blank_values=True,
                                                             max_num_fields=10).items()}
    except ValueError:  # not UTF-8, too many fields
        return {}


def is_own_form(request: Request, given: dict[str, str]) -> bool:
    """Whether a form was drawn for this browser: it sends back the word of a cookie that no other site can read."""
    word = cookies_of(request.scope).get(FORM, "")
    return bool(word) and hmac.compare_digest(word.encode(), given.get("form", "").encode())


def with_form(request: Request, draw: Any, status: int = 200) -> Response:
    """A page with a form, and the cookie that goes with it."""
    word = secrets.token_urlsafe(24)
    answer = HTMLResponse(draw(word), status_code=status, headers={"cache-control": "no-store"})
    answer.set_cookie(FORM, word, httponly=True, samesite="strict", secure=is_secure(request.scope), path="/")
    return answer


def signed_in(request: Request, token: str, answer: Response) -> Response:
    """The cookie of a session: for this site alone, out of any script's reach, behind TLS by TLS alone."""
    secure = is_secure(request.scope)
    answer.set_cookie(ward.COOKIES[0 if secure else 1], token, httponly=True, samesite="strict", secure=secure,
                      path="/")
    answer.headers["cache-control"] = "no-store"
    return answer


def leave_nothing(request: Request, answer: Response) -> None:
    """Take back every cookie, and what the browser has kept of the app."""
    for name in ward.COOKIES:
        answer.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=name.startswith("__Host-"))
    answer.headers["clear-site-data"] = '"cache", "storage"'
    answer.headers["cache-control"] = "no-store"


ROUTES = [Route(SIGN_IN, sign_in_page, methods=["GET"]), Route(SIGN_IN, sign_in, methods=["POST"]),
          Route(f"{SIGN_IN}/look.css", look), Route(f"{SIGN_IN}/font.woff2", font),
          Route(f"{SIGN_IN}/hospital", to_hospital), Route(f"{SIGN_IN}/hospital/done", from_hospital),
          Route(f"{SIGN_IN}/favicon.png", sign), Route("/sign-out", sign_out, methods=["POST"]),
          Route("/password", password_page, methods=["GET"]), Route("/password", change_password, methods=["POST"])]
