from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.redact import is_secret_name, masked_addresses, redactor, secrets_of, shown_url

SECRET = "sk-cañary/+4711=="


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_taken_out_in_every_form(shown: str) -> None:
    said = redactor([SECRET])(f"before {shown} after")
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert "***" in said
    assert shown not in said


@settings(max_examples=60)
@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_a_secret_within_encoded_bytes_is_taken_out_too(before: bytes, after: bytes) -> None:
    encoded = b64encode(before + SECRET.encode() + after).decode()
    assert "***" in redactor([SECRET])(encoded)


def test_a_secret_that_holds_another_goes_whole() -> None:
    assert redactor(["password", "password-long"])("is password-long") == "is ***"


def test_short_values_stay_since_they_are_words() -> None:
    assert redactor(["demo", ""])("a demo") == "a demo"


def test_without_secrets_nothing_changes() -> None:
    assert redactor([])("text") == "text"


def test_which_variables_are_secret_is_said_by_their_names() -> None:
    env = {"ANTHROPIC_API_KEY": "one", "db_password": " two ", "PATH": "/usr/bin", "GH_TOKEN": "three"}
    assert secrets_of(env) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "name",
    ["GITHUB_PAT", "PGPASS", "DB_PASS", "dbPwd", "MYSQL_PWD", "AUTH", "X-Auth", "BEARER", "Cookie", "--api-key",
     "apiKey", "Proxy-Authorization", "GH_TOKEN", "API_TOKENS", "ADMIN_TOKENS", "PASSPHRASE", "X_JWT"],
)  # fmt: skip
def test_what_is_a_secret_is_said_by_its_name(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "maxOutputTokens", "--max-tokens", "token_limit", "author", "XAUTHORITY", "SSH_AUTH_SOCK", "path",
     "pattern", "compass", "bypass", "SSH_ASKPASS", "PWD", "OLDPWD", "--pwd", "keyword", "monkey", "tokenizer"],
)  # fmt: skip
def test_what_only_resembles_a_secret_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("url", "plain", "marked"),
    [
        ("https://h:80/a/@b", "https://h:80/a/@b", "https://h:80/a/@b"),
        ("https://u:p@h/a?b=c#d", "https://h/a", "https://***@h/a?***"),
        ("https://u:pa/ss@h", "https://h", "https://***@h"),
        ("https://u:p@ss@h", "https://h", "https://***@h"),
        ("https://u:p?s#s@h/a", "https://h/a", "https://***@h/a"),
        ("https://[::1]:80/a@b", "https://[::1]:80/a@b", "https://[::1]:80/a@b"),
        ("no address?a=b", "no address?a=b", "no address?a=b"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, plain: str, marked: str) -> None:
    assert shown_url(url) == plain
    assert shown_url(url, "***") == marked


def test_of_the_addresses_in_a_text_the_secrets_alone_go() -> None:
    text = "Ask https://u:p@h/a?n=1&api_key=k, then http://i?q=x."
    assert masked_addresses(text) == "Ask https://***@h/a?n=1&api_key=*** then http://i?q=x."
