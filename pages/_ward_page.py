"""The pages that are seen without a session, and the one for a password: plain HTML, no script, the product's look."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

LOOK = Path(__file__).with_name("static") / "sign_in.css"
FONT = Path(__file__).with_name("static") / "noto-sans-latin-wght-normal.woff2"
SIGN = Path(__file__).with_name("static") / "favicon.png"

FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">{more}
<title>{title} · MedML</title>
<link rel="icon" href="/sign-in/favicon.png">
<link rel="stylesheet" href="/sign-in/look.css">
</head>
<body>
<main>
<p class="brand"><span class="sign" aria-hidden="true"></span>MedML</p>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def sign_in(form: str, *, to: str = "/", name: str = "", said: str = "", note: str = "", hospital: bool = False,
            local: bool = True) -> str:
    """The sign-in page.   form  the word that a form sends back;   said  why it was refused, note  anything else"""
    fields = (f'{_hidden("form", form)}{_hidden("to", to)}'
              + _field("name", "Name", "text", "username", value=name, first=not name)
              + _field("password", "Password", "password", "current-password", first=bool(name))
              + '<button type="submit">Sign in</button>')
    parts = [_said(said, note)]
    if local:
        parts.append(f'<form method="post" action="/sign-in">{fields}</form>')
    if hospital:
        parts.append(f'<p class="or"><a class="second" href="/sign-in/hospital?to={quote(to, safe="")}">'
                     "Sign in with the hospital’s account</a></p>")
    parts.append('<p class="quiet">An administrator of MedML makes accounts and new passwords. Nothing that you do '
                 "here leaves the hospital’s network.</p>")
    return FRAME.format(title="Sign in", body="\n".join(parts), more="")


def password(form: str, name: str, *, said: str = "", once: bool = False) -> str:
    """The page on which somebody changes their own password.   once  it was for one use: nothing else is open yet"""
    fields = (f'{_hidden("form", form)}'
              + f'<input type="text" name="name" value="{escape(name)}" autocomplete="username" hidden>'
              + _field("old", "Password until now", "password", "current-password", first=True)
              + _field("new", "New password", "password", "new-password",
                       under="12 characters or more; four unrelated words are easy to keep in mind.")
              + _field("again", "New password, once more", "password", "new-password")
              + '<button type="submit">Change the password</button>')
    note = "This password was for one use. Choose one of your own to go on." if once else ""
    body = (f'{_said(said, note)}<p class="lead">Signed in as <strong>{escape(name)}</strong>. A new password signs '
            f'you out everywhere else.</p><form method="post" action="/password">{fields}</form>'
            f'<form method="post" action="/sign-out" class="row">{_hidden("form", form)}'
            '<a class="second" href="/">Back to MedML</a><button class="second" type="submit">Sign out</button></form>')
    return FRAME.format(title="Your password", body=body, more="")


def kept_elsewhere(name: str) -> str:
    """In the place of that page, for somebody whose password the hospital's service keeps."""
    return FRAME.format(title="Your password", more="", body=(
        f'<p class="lead">Signed in as <strong>{escape(name)}</strong>. Your password is kept by the hospital’s own '
        'service: change it there.</p><p class="lead"><a class="second" href="/">Back to MedML</a></p>'))


def through(to: str = "/") -> str:
    """Shown for a moment after the hospital's service has said who it is: the next step begins on a page of ours, so
    that a cookie for this site alone is sent with it."""
    return FRAME.format(title="You are signed in",
                        more=f'\n<meta http-equiv="refresh" content="0; url={escape(to)}">',
                        body=f'<p class="lead"><a class="second" href="{escape(to)}">Go to MedML</a></p>')


def refused(title: str, what: str, fix: str) -> str:
    """Something that cannot be done, and what to do."""
    return FRAME.format(title=escape(title), more="", body=_said(f"{what} {fix}", "")
                        + '<p class="lead"><a class="second" href="/sign-in">To the sign-in page</a></p>')


def _said(said: str, note: str) -> str:
    stop = f'<p class="stop" role="alert">{escape(said)}</p>' if said else ""
    return stop + (f'<p class="note" role="status">{escape(note)}</p>' if note else "")


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value)}">'


def _field(name: str, label: str, kind: str, fills: str, *, value: str = "", first: bool = False,
           under: str = "") -> str:
    says = f'<span class="under" id="under_{name}">{escape(under)}</span>' if under else ""
    return (f'<label for="{name}">{escape(label)}</label>'
            f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{fills}" maxlength="200" required'
            f'{f" value={chr(34)}{escape(value)}{chr(34)}" if value else ""}{" autofocus" if first else ""}'
            f'{f" aria-describedby=under_{name}" if under else ""} spellcheck="false" autocapitalize="none">{says}')
