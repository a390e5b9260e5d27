from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vega_trio._core.redact import redactor, secrets_of

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
