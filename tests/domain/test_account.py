# SPDX-License-Identifier: Apache-2.0
"""The life of a link: the whole table of signals and states, and when to try again."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.domain.account import (
    ADVICE,
    BAN_MARGIN,
    FAILED_BACKOFF,
    STUCK,
    Account,
    LinkSignal,
    LinkState,
    advance,
    retry_at,
)
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.ids import Jid

# A row for each state, a column for each signal; a dot means that nothing changes. A state that names itself is entered
# anew: the wait begins again.
TABLE = """
             asked      offered expired  paired     up        stalled  restored  down      replaced logged_out banned outdated error  stopped
unpaired     connecting pairing .        connecting .         .        .         .         replaced logged_out banned outdated .      stopped
pairing      connecting .       unpaired connecting .         .        .         .         replaced logged_out banned outdated .      stopped
connecting   connecting pairing .        connecting connected .        .         transient replaced logged_out banned outdated failed stopped
connected    connecting .       .        connecting .         degraded .         transient replaced logged_out banned outdated failed stopped
degraded     connecting .       .        connecting connected .        connected transient replaced logged_out banned outdated failed stopped
transient    connecting pairing .        connecting connected .        .         .         replaced logged_out banned outdated failed stopped
replaced     connecting .       .        connecting .         .        .         .         .        logged_out banned outdated .      stopped
logged_out   connecting .       .        connecting .         .        .         .         replaced .          banned outdated .      stopped
banned       connecting .       .        connecting .         .        .         .         replaced logged_out banned outdated .      stopped
outdated     connecting .       .        connecting .         .        .         .         replaced logged_out banned .        .      stopped
failed       connecting .       .        connecting connected .        .         .         replaced logged_out banned outdated .      stopped
stopped      connecting .       .        connecting .         .        .         .         replaced logged_out banned outdated .      .
"""  # noqa: E501  a table is as wide as it is
_HEAD, *_ROWS = [line.split() for line in TABLE.strip().splitlines()]
STEPS = [(row[0], signal, after) for row in _ROWS for signal, after in zip(_HEAD, row[1:], strict=True)]

JOHN = Jid("15550000001@s.whatsapp.net")
NEVER = (LinkState.UNPAIRED, LinkState.PAIRING, LinkState.CONNECTED, LinkState.STOPPED)
LEFT_TO_PEOPLE = (LinkState.REPLACED, LinkState.LOGGED_OUT, LinkState.OUTDATED)
CHANCES = st.floats(0.0, 1.0)


def account(state: LinkState, **known: float | str | None) -> Account:
    return replace(Account(name="default", state=state, since=100.0, jid=JOHN), **known)  # type: ignore[arg-type]


def test_the_table_is_whole() -> None:
    assert {(state, signal) for state, signal, _after in STEPS} == {(s, g) for s in LinkState for g in LinkSignal}


@pytest.mark.parametrize(("state", "signal", "after"), STEPS)
def test_where_a_signal_leads(state: str, signal: str, after: str) -> None:
    before = account(LinkState(state))
    then = advance(before, LinkSignal(signal), 200.0)
    if after == ".":
        assert then is before
    else:
        assert (then.state, then.since) == (LinkState(after), 200.0)


@pytest.mark.parametrize(
    ("state", "failures", "waits"),
    [
        *((state, 0, None) for state in NEVER + LEFT_TO_PEOPLE),
        (LinkState.CONNECTING, 0, STUCK),
        (LinkState.DEGRADED, 0, STUCK),
        (LinkState.TRANSIENT, 0, STUCK),
        *((LinkState.FAILED, failures, wait) for failures, wait in enumerate(FAILED_BACKOFF, 1)),
        (LinkState.FAILED, 5, FAILED_BACKOFF[-1]),
        (LinkState.FAILED, 500, FAILED_BACKOFF[-1]),
        (LinkState.BANNED, 0, None),
    ],
)
def test_when_to_try_again(state: LinkState, failures: int, waits: float | None) -> None:
    stands = account(state, failures=failures)
    if waits is None:
        assert retry_at(stands, 0.0) is retry_at(stands, 1.0) is None
    else:
        assert retry_at(stands, 0.0) == 100.0 + waits
        assert retry_at(stands, 1.0) == 100.0 + waits * 1.25


@given(chance=CHANCES, until=st.floats(0.0, 4e9))
def test_a_ban_is_never_broken(chance: float, until: float) -> None:
    again = retry_at(account(LinkState.BANNED, until=until), chance)
    assert again is not None
    assert until <= again <= until + BAN_MARGIN


def test_a_second_ban_counts_from_its_own_end() -> None:
    banned = advance(account(LinkState.BANNED, until=500.0), LinkSignal.BANNED, 200.0, until=900.0)
    assert retry_at(banned, 0.0) == 900.0


@pytest.mark.parametrize("signal", [signal for signal in LinkSignal if signal is not LinkSignal.BANNED])
def test_the_end_of_a_ban_is_forgotten_with_the_ban(signal: LinkSignal) -> None:
    then = advance(account(LinkState.BANNED, until=500.0), signal, 200.0, until=900.0)
    assert then.until == (500.0 if then.state is LinkState.BANNED else None)


def test_a_connect_that_hangs_is_tried_again_and_again() -> None:
    stands = account(LinkState.TRANSIENT)
    for _attempt in range(5):
        due = retry_at(stands, 0.5)
        assert due is not None
        stands = advance(stands, LinkSignal.ASKED, due)
        assert retry_at(stands, 0.0) == due + STUCK


def test_failures_climb_and_a_connection_forgives_them() -> None:
    stands, waits = account(LinkState.CONNECTED), []
    for _failure in range(5):
        stands = advance(advance(stands, LinkSignal.ASKED, 1000.0), LinkSignal.ERROR, 1000.0)
        due = retry_at(stands, 0.0)
        assert due is not None
        waits.append(due - 1000.0)
    assert waits == [60.0, 300.0, 900.0, 3600.0, 3600.0]
    stands = advance(advance(stands, LinkSignal.ASKED, 1000.0), LinkSignal.UP, 1000.0)
    assert stands.failures == 0


def test_every_link_lost_is_a_reconnect() -> None:
    stands = account(LinkState.CONNECTED)
    for _cut in range(20):
        stands = advance(advance(stands, LinkSignal.DOWN, 200.0, detail="cut"), LinkSignal.DOWN, 201.0)
        assert stands.detail == "cut"
        stands = advance(stands, LinkSignal.UP, 202.0)
    assert stands.reconnects == 20
    assert stands.detail == ""


def test_pairing_gives_the_account_its_number_and_logging_out_takes_it() -> None:
    stands = Account(name="default")
    for signal, jid, then in [
        (LinkSignal.ASKED, None, None),
        (LinkSignal.OFFERED, None, None),
        (LinkSignal.PAIRED, JOHN, JOHN),
        (LinkSignal.UP, None, JOHN),
        (LinkSignal.DOWN, None, JOHN),
        (LinkSignal.LOGGED_OUT, None, None),
    ]:
        stands = advance(stands, signal, 200.0, jid=jid)
        assert stands.jid == then


@given(st.lists(st.sampled_from(LinkSignal)))
def test_contacts_are_observed_only_on_a_link_that_is_well(signals: list[LinkSignal]) -> None:
    stands = Account(name="default")
    for at, signal in enumerate(signals, 1):
        before, stands = stands, advance(stands, signal, float(at), until=1e9)
        assert stands.connected is (stands.state is LinkState.CONNECTED)
        assert stands.since >= before.since
        assert stands.until is None or stands.state in {LinkState.BANNED, LinkState.TRANSIENT, LinkState.DEGRADED}
        assert stands.until is not None or stands.state is not LinkState.BANNED
        again = retry_at(stands, 0.0)
        assert again is None or again > at or stands is before
        if stands.state in LEFT_TO_PEOPLE:
            assert again is None


@pytest.mark.parametrize("state", LinkState)
def test_every_state_comes_with_advice_that_names_the_account(state: LinkState) -> None:
    advice = Account(name="shop", state=state).advice
    assert advice.endswith(".")
    assert "{" not in advice
    assert ("shop" in advice) is ("{name}" in ADVICE[state])


@pytest.mark.parametrize("name", ["default", "a", "0", "shop-2", "shop_2", "x" * 32])
def test_a_name_is_fit_for_a_path_and_a_label(name: str) -> None:
    assert Account(name=name).name == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "Shop", "a b", "a/b", "../a", "x" * 33, "é", "a\n", "٣"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings, match="1 to 32"):
        Account(name=name)


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 3.0), (1.0, 6.0)])
def test_where_the_library_gave_up_a_new_link_is_made_soon(chance: float, wait: float) -> None:
    up = Account(name="default", state=LinkState.CONNECTED, since=50.0)
    alone = advance(up, LinkSignal.DOWN, 100.0, until=100.0)
    assert (alone.state, retry_at(alone, chance)) == (LinkState.TRANSIENT, 100.0 + wait)
    assert retry_at(advance(up, LinkSignal.DOWN, 100.0), 0.0) == 100.0 + STUCK
