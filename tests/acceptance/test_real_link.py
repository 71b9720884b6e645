# SPDX-License-Identifier: Apache-2.0
"""The link as whatsmeow itself makes it: pairing, every way to lose it, and what we do then."""

from itertools import pairwise
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.stage import PushedClock, staged
from wigwag.domain.account import LinkState
from wigwag.domain.errors import Conflict
from wigwag.domain.events import AccountChanged, SubscriptionChanged
from wigwag.domain.ids import contact_jid
from wigwag.domain.presence import PresenceChanged, Status
from wigwag.domain.subscriptions import State
from wigwag.simulator import Limits, Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]

PEOPLE = [f"1555030{number:04d}" for number in range(30)]


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def people(simulator: Simulator) -> None:
    """Everybody exists, and is offline."""
    for number in PEOPLE:
        simulator.put_contact(number)
        await simulator.set_presence(number, online=False)


async def test_pairing_by_phone_code(simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.until(lambda: gateway.account("default").state is LinkState.PAIRING)
        code = await gateway.pair_by_code("default", phone)
        await simulator.scan_code(phone, code)
        await stage.until(lambda: gateway.account("default").connected)
        assert gateway.account("default").jid == contact_jid(phone)
        with pytest.raises(Conflict):
            gateway.pairing("default")


async def test_the_session_is_private_and_is_found_again_without_a_code(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.pair(phone)
        session = tmp_path / "session"
        assert session.stat().st_mode & 0o777 == 0o700
        assert (session / "whatsapp.db").is_file()
    async with staged(simulator, clock, tmp_path) as stage:
        await stage.until(lambda: stage.core.gateway.account("default").connected)
        states = [fact.after.state for fact in stage.facts.of(AccountChanged)]
        assert LinkState.PAIRING not in states


async def test_twenty_cuts_turn_all_unknown_and_nobody_offline_and_all_come_back_in_order(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    for number in PEOPLE:
        await simulator.set_presence(number, online=True)
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.pair(phone)
        for priority, first in ((3, 0), (1, 10), (2, 20)):
            await gateway.track([(number, "") for number in PEOPLE[first : first + 10]], priority=priority)
        order = [*PEOPLE[10:20], *PEOPLE[20:30], *PEOPLE[0:10]]
        await stage.until(lambda: gateway.presence_counts().online == len(PEOPLE))
        for _cut in range(20):
            stage.facts.facts.clear()
            before = _subscribed(simulator, phone)[-1][0]
            await simulator.cut(phone)
            await stage.until(lambda: stage.facts.of(AccountChanged))
            assert gateway.presence_counts().observed == 0
            await stage.until(lambda: gateway.presence_counts().online == len(PEOPLE))
            assert {change.after for change in stage.facts.of(PresenceChanged)} == {Status.UNKNOWN, Status.ONLINE}
            assert [number for _seq, number in _subscribed(simulator, phone, before)] == order
        assert gateway.account("default").reconnects >= 20
        assert all(presence.went_offline == 0 for presence in gateway.presences())


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("replaced", LinkState.REPLACED),
        ("logged_out", LinkState.LOGGED_OUT),
        ("ban", LinkState.BANNED),
        ("outdated", LinkState.OUTDATED),
    ],
)
async def test_a_link_that_was_ended_for_good_is_not_fought_for(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str, fault: str, state: LinkState
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.pair(phone)
        await gateway.track([(PEOPLE[0], "")])
        await stage.until(lambda: gateway.presence_counts().observed == 1)
        await simulator.inject(fault, phone, seconds=600.0)
        await stage.until(lambda: gateway.account("default").state is state)
        assert gateway.presence(PEOPLE[0]).status is Status.UNKNOWN
        if state is LinkState.BANNED:
            until = gateway.account("default").until
            assert until is not None
            assert 590.0 < until - clock.now() <= 601.0
            simulator.clear_faults()
            clock.push(605.0)
            await stage.until(lambda: gateway.presence_counts().observed == 1)
            return
        changes = len(stage.facts.of(AccountChanged))
        clock.push(24 * 3600.0)
        await stage.breathe()
        assert len(stage.facts.of(AccountChanged)) == changes
        simulator.clear_faults()
        await gateway.connect("default")  # a person decided
        again = LinkState.PAIRING if state is LinkState.LOGGED_OUT else LinkState.CONNECTED
        await stage.until(lambda: gateway.account("default").state is again)


@pytest.mark.slow
async def test_a_link_that_is_up_but_dumb_is_believed_nothing_and_made_anew(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    """The library asks for a sign of life every 20 to 30 s and waits 10 s for it; there is no way to hurry it."""
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.pair(phone)
        await gateway.track([(PEOPLE[0], "")])
        await stage.until(lambda: gateway.presence_counts().observed == 1)
        await simulator.inject("silence", phone)
        await stage.until(lambda: gateway.account("default").state is LinkState.DEGRADED, patience=60.0)
        assert gateway.presence_counts().observed == 0
        simulator.clear_faults()
        clock.push(46.0)  # the library would wait for three minutes
        await stage.until(lambda: gateway.presence_counts().observed == 1)


async def test_a_code_that_nobody_scans_is_renewed_without_a_restart(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.until(lambda: gateway.account("default").state is LinkState.PAIRING)
        first = gateway.pairing("default").qr
        await gateway.connect("default")
        await stage.until(lambda: _qr(gateway) not in (None, first))
        await stage.pair(phone)


async def test_two_accounts_in_one_process_each_with_its_own_session(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    other = f"1666{phone[4:]}"
    for number in PEOPLE[:2]:
        await simulator.set_presence(number, online=True)
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.pair(phone)
        await gateway.add_account("desk")
        await stage.pair(other, "desk")
        await gateway.track([(PEOPLE[0], "")], account="default")
        await gateway.track([(PEOPLE[1], "")], account="desk")
        await stage.until(lambda: gateway.presence_counts().online == 2)
        await simulator.inject("replaced", other)
        await stage.until(lambda: gateway.account("desk").state is LinkState.REPLACED)
        assert [gateway.presence(number).status for number in PEOPLE[:2]] == [Status.ONLINE, Status.UNKNOWN]
        assert sorted(path.name for path in (tmp_path / "session").glob("*.db")) == ["whatsapp-desk.db", "whatsapp.db"]


async def test_beyond_the_simulators_limit_backoff_follows_2_4_8_16_32_60_minutes(
    simulator: Simulator, clock: PushedClock, tmp_path: Path, phone: str
) -> None:
    async with staged(simulator, clock, tmp_path) as stage:
        gateway = stage.core.gateway
        await stage.pair(phone)
        simulator.set_limits(Limits(subscriptions_per_minute=0))
        await gateway.track([(PEOPLE[0], "")])

        def failures() -> list[float]:
            return [f.at for f in stage.facts.of(SubscriptionChanged) if f.state is State.FAILED]

        for attempt, wait in enumerate((2, 4, 8, 16, 32, 60, 60), start=1):
            await stage.until(lambda: gateway.plans()["default"].counts[State.PENDING] == 1)
            clock.push(121.0)  # nobody answers
            await stage.until(lambda attempt=attempt: len(failures()) == attempt)  # type: ignore[misc]
            clock.push(wait * 60.0 + 0.5)
        waits = [after - before for before, after in pairwise(failures())]
        assert [round((each - 121.0) / 60.0) for each in waits] == [2, 4, 8, 16, 32, 60]
        simulator.set_limits(Limits(subscriptions_per_minute=None))
        clock.push(3601.0)
        await stage.until(lambda: gateway.subscription_stats().active == 1)


def _qr(gateway: object) -> str | None:
    try:
        return gateway.pairing("default").qr  # type: ignore[attr-defined, no-any-return]
    except Conflict:
        return None


def _subscribed(simulator: Simulator, account: str, after: int = 0) -> list[tuple[int, str]]:
    """The subscribe stanzas of an account that the simulator saw, as (sequence number, phone)."""
    seen = [entry for entry in simulator.journal.subscriptions if entry.account == account and entry.seq > after]
    return [(entry.seq, entry.phone) for entry in seen if entry.action == "subscribe"]
