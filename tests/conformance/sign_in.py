"""How the conformance client signs in: the SDK's OAuth providers, and a person who says yes to everything."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

RETURN = "http://localhost:3000/callback"
ABOUT = "https://conformance-test.local/client-metadata.json"


@attrs.define
class Kept:
    """Tokens and registration, for as long as the program runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


@attrs.define
class Person:
    """Opens the page and agrees: what the page sends the browser back with is the result."""

    sent_back: dict[str, str] = attrs.field(factory=dict)

    async def open_page(self, url: str) -> None:
        async with httpx2.AsyncClient() as browser:
            answer = await browser.get(url, follow_redirects=False)
        self.sent_back = dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    async def result(self) -> AuthorizationCodeResult:
        return AuthorizationCodeResult(**self.sent_back)


def sign_in(url: str, scenario: str) -> httpx2.Auth:
    """What a scenario of OAuth wants."""
    given = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")
    match scenario:
        case "auth/client-credentials-basic":
            return ClientCredentialsOAuthProvider(url, Kept(), given["client_id"], given["client_secret"])
        case "auth/client-credentials-jwt":
            signed = SignedJWTParameters(
                issuer=given["client_id"],
                subject=given["client_id"],
                signing_algorithm=given.get("signing_algorithm", "ES256"),
                signing_key=given["private_key_pem"],
            )
            return PrivateKeyJWTOAuthProvider(url, Kept(), given["client_id"], signed.create_assertion_provider())
        case _:
            return _by_code(url, given)


def _by_code(url: str, given: dict[str, Any]) -> httpx2.Auth:
    kept, person = Kept(), Person()
    if "client_id" in given:
        kept.client = OAuthClientInformationFull(
            client_id=given["client_id"],
            client_secret=given.get("client_secret"),
            redirect_uris=[AnyUrl(RETURN)],
            token_endpoint_auth_method="client_secret_basic" if given.get("client_secret") else "none",
        )
    about = OAuthClientMetadata(
        client_name="vega-trio",
        redirect_uris=[AnyUrl(RETURN)],
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
    )
    return OAuthClientProvider(url, about, kept, person.open_page, person.result, ABOUT)
