"""The sign-in page: plain HTML without script, in light and dark, readable aloud."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:22rem;margin:12vh auto;padding:0 1rem}"
    "label{display:block;margin-top:1rem}"
    "input,button{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin-top:.25rem}"
    "button{margin-top:1.5rem}"
    "[role=alert]{border-left:.25rem solid;padding-left:.75rem}"
)

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""The page may show itself and send its form to us, and nothing else."""


def login_page(csrf: str, *, told: str | None = None) -> str:
    """The page with its form's token, and what went wrong the last time; nothing that was typed is repeated."""
    alert = f'<p role="alert">{escape(told)}</p>' if told else ""
    title = f"{'Not signed in' if told else 'Sign in'} · rettid"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main><h1>Sign in</h1>{alert}"
        '<form method="post" action="/login">'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}">'
        '<label for="user">User</label>'
        '<input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" '
        'maxlength="64" required>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password" maxlength="256" required>'
        '<button type="submit">Sign in</button></form></main></body></html>'
    )


def sign_out_form(csrf: str) -> str:
    """A form that ends the session, for a page that is shown in it."""
    return (
        '<form method="post" action="/logout">'
        f'<input type="hidden" name="csrf" value="{escape(csrf)}"><button type="submit">Sign out</button></form>'
    )
