"""Nobody is let in but whom the owner lets in."""

from __future__ import annotations

import attrs
import pytest

from vega_trio.errors import ConfigError
from vega_trio.telegram.access import CODE_S, GUESSES, Access
from vega_trio.telegram.keys import parse_press
from vega_trio.telegram.settings import settings_of

TOKEN = "123456:secret-of-nobody"


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def access(clock: Clock) -> Access:
    codes = iter(["000001", "000002", "000003"])
    made = Access(allowed=set(), clock=clock, draw=lambda: next(codes))
    made.offer()
    return made


def test_a_code_lets_one_user_in() -> None:
    made = access(Clock())
    assert made.pair(1, " 000001 ")
    assert made.allowed == {1}
    assert not made.pair(2, "000001")


def test_a_code_is_good_for_ten_minutes_only() -> None:
    clock = Clock()
    made = access(clock)
    clock.now = CODE_S
    assert not made.pair(1, "000001")
    made.offer()
    assert made.pair(1, "000002")


def test_an_offer_does_not_replace_a_code_that_is_good() -> None:
    made = access(Clock())
    made.offer()
    assert made.pair(1, "000001")


def test_after_ten_wrong_codes_the_right_one_is_not_taken_either_until_its_time_is_over() -> None:
    clock = Clock()
    made = access(clock)
    for user in range(GUESSES):
        assert not made.pair(user, "999999")
    made.offer()
    assert not made.pair(1, "000001")
    clock.now = CODE_S
    made.offer()
    assert made.pair(1, "000002")


@pytest.mark.parametrize(
    "text", ["", "00001", "0000010", "\u0660\u0660\u0660\u0660\u0660\u0661", "000001\n000001", "/start 000001"]
)
def test_what_is_not_six_digits_is_no_code(text: str) -> None:
    made = access(Clock())
    assert not made.pair(1, text)


def test_a_stranger_is_told_once() -> None:
    made = access(Clock())
    assert [made.refuse(1), made.refuse(1), made.refuse(2)] == [True, False, True]


def test_without_a_token_there_is_no_bot() -> None:
    assert settings_of({}) is None
    assert settings_of({"TELEGRAM_BOT_TOKEN": "  "}) is None


def test_the_settings_are_those_of_the_environment() -> None:
    env = {"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_ALLOW": " 1, 22,", "TELEGRAM_BASE_URL": "http://127.0.0.1:81/"}
    made = settings_of(env)
    assert made is not None
    assert (made.agent, made.allow, made.origin, made.bot) == ("hermes", {1, 22}, "http://127.0.0.1:81", "123456")
    assert "secret" not in repr(made)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", "secret-of-nobody"),
        ("TELEGRAM_BOT_TOKEN", "123456:secret/of/nobody"),
        ("TELEGRAM_ALLOW", "1, @ann"),
        ("TELEGRAM_BASE_URL", "api.telegram.org"),
        ("TELEGRAM_BASE_URL", "https://api.telegram.org/bot"),
        ("TELEGRAM_BASE_URL", "http://[::1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_showing_the_token(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        settings_of({"TELEGRAM_BOT_TOKEN": TOKEN, name: value})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [None, "", "stop", "stop:", "delete:1", 7])
def test_what_no_button_sends_is_no_press(data: object) -> None:
    assert parse_press(data) == ("", "")
