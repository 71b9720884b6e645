# SPDX-License-Identifier: Apache-2.0
"""Keys, scopes, what callers show, and how much of a quota is left."""

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.access import Caller, Key, Means, Scope, SignIn, checked_name, digest, key_id, new_key
from wigwag.domain.addresses import is_loopback, neighbourhood
from wigwag.domain.credentials import Credentials, read
from wigwag.domain.errors import Forbidden, InvalidSettings, Unauthenticated
from wigwag.domain.quota import Quota

START = 1_800_000_000.0  # Unix seconds


@pytest.mark.parametrize(
    ("has", "may"),
    [
        (Scope.READ, {Scope.READ, Scope.METRICS}),
        (Scope.SEND, {Scope.SEND}),
        (Scope.TRACK, {Scope.TRACK}),
        (Scope.METRICS, {Scope.METRICS}),
        (Scope.ADMIN, set(Scope)),
    ],
)
def test_a_scope_includes_what_it_says_and_no_more(has: Scope, may: set[Scope]) -> None:
    caller = Caller(id="a", name="a", scopes=frozenset({has}), means=Means.KEY)
    assert {scope for scope in Scope if caller.may(scope)} == may
    for scope in set(Scope) - may:
        with pytest.raises(Forbidden, match=scope):
            caller.need(scope)


@given(secret=st.binary(min_size=32, max_size=32))
def test_a_key_names_itself_and_no_other_does(secret: bytes) -> None:
    text = new_key("abcdefghijkl", secret)
    assert key_id(text) == "abcdefghijkl"
    assert not {key_id(each) for each in (text[:-1], f"{text}a", f" {text}", text.upper(), text[3:])} - {None}


def test_no_value_shows_what_it_is_known_by() -> None:
    seen = digest("secret")
    key = Key(id="a", name="a", digest=seen, scopes=frozenset(), created=START)
    shown = f"{key}{SignIn(digest=seen, key='a', created=START, expires=START)}"
    shown += str(Credentials(key="secret", basic="secret", cookie="secret"))
    assert seen not in shown
    assert "secret" not in shown


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\nb", "a\0"])
def test_a_name_is_something_that_can_be_read(name: str) -> None:
    with pytest.raises(InvalidSettings):
        checked_name(name)


def basic(pair: bytes) -> str:
    return "Basic " + b64encode(pair).decode()


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, Credentials()),
        ({"authorization": "Bearer abc"}, Credentials(key="abc")),
        ({"authorization": "bearer   abc "}, Credentials(key="abc")),
        ({"authorization": "Bearer s3cr\u00c3\u00a9t"}, Credentials(key="s3cr\u00e9t")),  # UTF-8 read as Latin-1
        ({"authorization": basic("anna:sécret:1".encode())}, Credentials(basic="anna:sécret:1")),
        ({"x-api-key": "abc", "authorization": "Bearer other", "cookie": "wigwag=c"}, Credentials(key="abc")),
        ({"authorization": "Bearer abc", "cookie": "wigwag=c"}, Credentials(key="abc")),
        ({"cookie": "a=b; wigwag=c=d; wigwag=e"}, Credentials(cookie="c=d")),
        ({"cookie": "xwigwag=c; wigwag="}, Credentials()),
    ],
)
def test_what_is_shown_is_read(headers: dict[str, str], shown: Credentials) -> None:
    assert read(headers, cookie_name="wigwag", address="", local=False) == shown


@pytest.mark.parametrize("value", ["Digest a", "abc", "Basic é", "Basic a", basic(b"\xff")])
def test_what_is_no_way_to_say_who_one_is_is_refused(value: str) -> None:
    with pytest.raises(Unauthenticated):
        read({"authorization": value}, cookie_name="wigwag", address="", local=False)


@given(st.dictionaries(st.sampled_from(["authorization", "x-api-key", "cookie"]), st.text()))
def test_any_header_is_read_or_refused(headers: dict[str, str]) -> None:
    with suppress(Unauthenticated):
        read(headers, cookie_name="wigwag", address="", local=False)


# --- quotas


@given(
    limit=st.integers(1, 50),
    waits=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=200),
)
def test_no_window_has_more_than_the_limit_and_one_before(limit: int, waits: list[float]) -> None:
    """At once, the limit; over any window, that and what came back meanwhile: never more than twice."""
    quota, full_at, now, let_in = Quota(limit=limit), 0.0, START, []
    for wait in waits:
        now += wait
        usage = quota.take(full_at, now)
        full_at = usage.full_at
        assert 0 <= usage.remaining < limit or not usage.allowed
        if usage.allowed:
            let_in.append(now)
        else:
            assert quota.take(full_at, now + usage.retry_after).allowed
    for number, at in enumerate(let_in):
        assert sum(at <= other < at + quota.window for other in let_in[number:]) <= 2 * limit


def test_what_is_left_is_counted_down_and_comes_back() -> None:
    quota, full_at = Quota(limit=3, window=60.0), 0.0
    for left in (2, 1, 0):
        usage = quota.take(full_at, START)
        full_at = usage.full_at
        assert (usage.remaining, usage.allowed) == (left, True)
    refused = quota.take(full_at, START)
    assert (refused.allowed, refused.retry_after, refused.full_at) == (False, 20.0, full_at)
    assert quota.take(full_at, START + 60.0).remaining == 2


# --- addresses


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("", "nonsense", False),
    ],
)
def test_whom_to_count_together(one: str, other: str, together: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is together


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *[(host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST")],
        *[(host, False) for host in ("0.0.0.0", "::", "", "localhost.example", "192.0.2.7", "127.0.0.1.example")],
    ],
)
def test_this_machine_is_known_by_its_names(host: str, here: bool) -> None:
    assert is_loopback(host) is here
