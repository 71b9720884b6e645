# SPDX-License-Identifier: Apache-2.0
"""What follows from each attempt: the schedule of three days, the breaker, disabling, and what an endpoint wants."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.errors import InvalidSettings, InvalidUrl
from wigwag.domain.outbox import KINDS, Event
from wigwag.domain.signing import new_secret
from wigwag.domain.webhooks import (
    BREAKS,
    GIVE_UP,
    KEPT_TRIES,
    LONGEST_RETRY_AFTER,
    PROBE_MOST,
    SCHEDULE,
    Answer,
    Condition,
    Delivery,
    Endpoint,
    State,
    Try,
    asked_to_wait,
    delivery_after,
    delivery_key,
    disabled_event,
    enabled,
    endpoint_after,
    reopened,
    rotated,
)

NOW = 1_800_000_000.0  # 2027-01-15 08:00:00 UTC
ENDPOINT = Endpoint(id="wh_1", url="https://example.com/hook?token=5", secrets=(new_secret(bytes(32)),), created=NOW)
DELIVERY = Delivery(endpoint="wh_1", position=7, event="e", kind="message.sent", created=NOW, due=NOW)


def tried(status: int | None, at: float = NOW) -> Try:
    return Try(at=at, status=status, seconds=0.1)


def event(kind: str, account: str = "default", **data: object) -> Event:
    return Event(id="e", kind=kind, account=account, at=NOW, data=data)


# --- deliveries


@given(st.lists(st.floats(0.0, 1.0), min_size=len(SCHEDULE), max_size=len(SCHEDULE)))
def test_a_delivery_is_tried_ten_times_over_75_hours_and_then_has_failed(chances: list[float]) -> None:
    delivery, count = DELIVERY, 0
    for chance in [*chances, 0.0]:
        assert delivery.state is State.PENDING
        delivery, count = delivery_after(delivery, tried(500, delivery.due), chance), count + 1
    assert (delivery.state, count) == (State.FAILED, 10)
    assert 75.5 * 3600 <= delivery.due - NOW <= 75.6 * 3600 * 1.1


def test_the_schedule_is_that_of_the_standard() -> None:
    due, delivery = [], DELIVERY
    while delivery.state is State.PENDING:
        due.append(delivery.due - NOW)
        delivery = delivery_after(delivery, tried(None, delivery.due), 0.0)
    minutes = [f"{int(at // 3600)}:{int(at % 3600 // 60):02}:{int(at % 60):02}" for at in due]
    expected = ["0:00:00", "0:00:05", "0:05:05", "0:35:05", "2:35:05", "7:35:05", "17:35:05", "31:35:05", "51:35:05"]
    assert minutes == [*expected, "75:35:05"]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_success(status: int) -> None:
    assert delivery_after(DELIVERY, tried(status), 0.0).state is State.DELIVERED


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 302, 307, 400, 401, 404, 429, 500, 502, 503, 504, 599])
def test_everything_else_is_tried_again(status: int | None) -> None:
    after = delivery_after(DELIVERY, tried(status), 0.0)
    assert (after.state, after.attempts, after.due) == (State.PENDING, 1, NOW + 5)


def test_what_is_gone_is_not_tried_again() -> None:
    assert delivery_after(DELIVERY, tried(410), 0.0).state is State.FAILED


def test_an_asked_wait_is_kept_but_never_shortens_the_schedule() -> None:
    assert delivery_after(DELIVERY, tried(429), 0.0, NOW + 60).due == NOW + 60
    assert delivery_after(replace(DELIVERY, attempts=3), tried(429), 0.0, NOW + 60).due == NOW + 7200


@pytest.mark.parametrize(
    ("status", "text", "seconds"),
    [
        (429, "120", 120.0),
        (503, " 7 ", 7.0),
        (429, "0", 0.0),
        (429, "99999999999999999999", LONGEST_RETRY_AFTER),
        (503, "Fri, 15 Jan 2027 08:10:00 GMT", 600.0),
        (503, "Sat, 15 Jan 2028 08:10:00 GMT", LONGEST_RETRY_AFTER),
        (429, "", -NOW),
        (429, "soon", -NOW),
        (429, "-5", -NOW),
        (429, "1e9", -NOW),
        (429, "٣", -NOW),
        (429, "Fri, 99 Jan 2027 08:10:00 GMT", -NOW),
        (500, "120", -NOW),
        (200, "120", -NOW),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date_and_bounded(status: int, text: str, seconds: float) -> None:
    assert asked_to_wait(Answer(status=status, retry_after=text), NOW) - NOW == seconds


@given(st.lists(st.integers(100, 599), max_size=60))
def test_the_latest_tries_are_kept_and_no_more(statuses: list[int]) -> None:
    delivery = DELIVERY
    for status in statuses:
        delivery = delivery_after(delivery, tried(status), 0.0)
    assert [one.status for one in delivery.tries] == statuses[-KEPT_TRIES:]


def test_a_replayed_delivery_begins_at_the_first_attempt_and_keeps_its_past() -> None:
    failed = replace(DELIVERY, state=State.FAILED, attempts=10, tries=(tried(500),))
    again = reopened(failed, NOW + 9)
    assert (again.state, again.attempts, again.due, again.tries) == (State.PENDING, 0, NOW + 9, failed.tries)


@pytest.mark.parametrize(
    ("text", "key"),
    [("wh_1-7", ("wh_1", 7)), ("wh_1", None), ("", None), ("-7", None), ("wh_1-x", None), ("wh_1-٣", None)],
)
def test_a_delivery_is_found_by_its_id(text: str, key: tuple[str, int] | None) -> None:
    assert delivery_key(text) == key
    assert delivery_key(DELIVERY.id) == ("wh_1", 7)


# --- endpoints


@given(st.lists(st.sampled_from([200, 301, 400, 429, 500, None]), max_size=40))
def test_an_endpoint_is_probed_exactly_after_enough_failures_in_a_row(statuses: list[int | None]) -> None:
    endpoint, at, in_a_row = ENDPOINT, NOW, 0
    for status in statuses:
        at += 1.0
        endpoint = endpoint_after(endpoint, tried(status, at))
        in_a_row = 0 if status == 200 else in_a_row + 1
        failing = in_a_row >= BREAKS
        assert (endpoint.condition is Condition.FAILING) is failing
        assert endpoint.slots == (1 if failing else endpoint.concurrency)
        assert (at + 5 <= endpoint.not_before <= at + PROBE_MOST) if failing else endpoint.not_before == 0.0


def test_probes_become_rarer_up_to_five_minutes() -> None:
    endpoint, waits = ENDPOINT, []
    for _ in range(BREAKS + 8):
        endpoint = endpoint_after(endpoint, tried(500))
        waits.append(endpoint.not_before and endpoint.not_before - NOW)
    assert waits[BREAKS - 1 :] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_an_asked_wait_holds_for_the_whole_endpoint() -> None:
    assert endpoint_after(ENDPOINT, tried(429), NOW + 60).not_before == NOW + 60


def test_five_days_of_nothing_but_failures_disable_an_endpoint() -> None:
    failing = endpoint_after(ENDPOINT, tried(500))
    assert endpoint_after(failing, tried(500, NOW + GIVE_UP - 1)).enabled
    disabled = endpoint_after(failing, tried(500, NOW + GIVE_UP))
    assert (disabled.enabled, disabled.reason) == (False, "failing")
    recovered = endpoint_after(failing, tried(200, NOW + GIVE_UP - 1))
    assert endpoint_after(recovered, tried(500, NOW + GIVE_UP)).enabled


def test_gone_disables_at_once_and_enabling_forgets_the_past() -> None:
    gone = endpoint_after(ENDPOINT, tried(410))
    assert (gone.enabled, gone.reason, gone.condition) == (False, "gone", Condition.DISABLED)
    assert enabled(gone) == ENDPOINT


def test_what_is_told_of_a_disabled_endpoint_has_no_secret_in_it() -> None:
    told = disabled_event(endpoint_after(ENDPOINT, tried(410)), NOW)
    assert told.data["host"] == "example.com"
    assert "token" not in str(dict(told.data))


def test_a_new_secret_leaves_the_one_before_it_for_a_time() -> None:
    first, second, third = (new_secret(bytes([n]) * 32) for n in range(3))
    endpoint = rotated(replace(ENDPOINT, secrets=(first,)), second, NOW, 60.0)
    assert [(one.text, one.until) for one in endpoint.secrets] == [(second.text, None), (first.text, NOW + 60)]
    endpoint = rotated(endpoint, third, NOW, 0.0)
    assert [one.text for one in endpoint.secrets] == [third.text]


@pytest.mark.parametrize(
    ("events", "accounts", "event", "wants"),
    [
        (("*",), (), event("message.sent"), True),
        (("message.*",), (), event("message.sent"), True),
        (("message.*",), (), event("account.changed"), False),
        (("account.changed", "message.sent"), (), event("message.sent"), True),
        (("*",), ("sales",), event("message.sent", "sales"), True),
        (("*",), ("sales",), event("message.sent", "default"), False),
        (("*",), ("sales",), event("presence.changed", ""), True),
        (("message.*",), ("sales",), event("webhook.test", "", endpoint="wh_1"), True),
        (("*",), (), event("webhook.test", "", endpoint="wh_2"), False),
    ],
)
def test_an_endpoint_hears_what_it_wants(
    events: tuple[str, ...], accounts: tuple[str, ...], event: Event, wants: bool
) -> None:
    assert replace(ENDPOINT, events=events, accounts=accounts).wants(event) is wants


@pytest.mark.parametrize("patterns", [("*",), *((kind,) for kind in KINDS), ("message.*", "call.*")])
def test_every_kind_of_event_may_be_asked_for(patterns: tuple[str, ...]) -> None:
    assert replace(ENDPOINT, events=patterns).events == patterns


@pytest.mark.parametrize("patterns", [(), ("",), ("message",), ("mesage.*",), ("[a-z]*",), ("*.sent",), ("*", "nope")])
def test_an_event_that_never_comes_is_refused(patterns: tuple[str, ...]) -> None:
    with pytest.raises(InvalidSettings):
        replace(ENDPOINT, events=patterns)


def test_an_endpoint_needs_a_url_and_a_sane_concurrency() -> None:
    with pytest.raises(InvalidUrl):
        replace(ENDPOINT, url="http://user@example.com")
    for concurrency in (0, 33):
        with pytest.raises(InvalidSettings):
            replace(ENDPOINT, concurrency=concurrency)


def test_an_endpoint_shows_neither_its_secret_nor_its_query() -> None:
    shown = repr(ENDPOINT)
    assert "whsec" not in shown
    assert "token" not in shown
    assert ENDPOINT.host == "example.com"
