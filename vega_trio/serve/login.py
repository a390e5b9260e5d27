"""The page where a browser shows a token, or the code of the address that the server has printed."""

from __future__ import annotations

import secrets

from quart import Request, Response

from vega_trio.serve.desk import Desk, Route
from vega_trio.serve.static import html_answer

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in to vega</title>
<style nonce="{nonce}">
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 15vh auto; padding: 0 1rem;
    color-scheme: light dark }}
  input, button {{ font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; margin-top: .5rem }}
</style>
<h1>vega</h1>
<form id="form">
  <label for="token">Token</label>
  <input id="token" name="token" type="password" autocomplete="current-password" required>
  <button>Log in</button>
</form>
<p id="said" role="status">The token lies in the file <code>token</code> of the home, by default <code>~/.vega</code>.
The address that <code>vega serve</code> prints logs in by itself.</p>
<noscript><p>Logging in needs JavaScript. The API takes <code>Authorization: Bearer TOKEN</code>.</p></noscript>
<script src="/login.js"></script>
</html>
"""
SCRIPT = b"""'use strict';
const said = document.getElementById('said');
async function send(body) {
  const answer = await fetch('/api/auth/login', {
    method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body),
  });
  if (answer.ok) { location.replace('/'); return; }
  said.textContent = (await answer.json()).error;
}
document.getElementById('form').addEventListener('submit', (event) => {
  event.preventDefault();
  send({token: document.getElementById('token').value.trim()});
});
const code = new URLSearchParams(location.search).get('code');
if (code) { history.replaceState(null, '', '/login'); send({code}); }
"""


async def page(desk: Desk, request: Request) -> Response:
    nonce = secrets.token_urlsafe(16)
    return html_answer(PAGE.format(nonce=nonce).encode(), nonce)


async def script(desk: Desk, request: Request) -> Response:
    return Response(SCRIPT, 200, content_type="text/javascript; charset=utf-8")


ROUTES = (Route("GET", "/login", page), Route("GET", "/login.js", script))
