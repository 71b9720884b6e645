# SPDX-License-Identifier: Apache-2.0
"""The accounts on virtual time: what is tried again and when, what is left alone, and what outlives a restart."""

import pytest

from wigwag.domain.account import FAILED_BACKOFF, STUCK, LinkSignal, LinkState
from wigwag.domain.errors import Conflict, InvalidSettings, NotFound, Unavailable
from wigwag.domain.events import AccountChanged, PartFailed
from wigwag.testing import START, FakeClock, MemoryStores, Trial, build_trial, running

WEEK = 7 * 24 * 3600.0


def attempts(trial: Trial, account: str = "default") -> int:
    return trial.whatsapp.asked.count(("connect", account))


async def test_the_first_start_makes_an_account_and_offers_to_pair_it() -> None:
    async with running(build_trial()) as trial:
        assert [account.name for account in trial.core.gateway.accounts()] == ["default"]
        assert attempts(trial) == 1
        with pytest.raises(Conflict, match="Connecting"):
            trial.core.gateway.pairing("default")
        trial.whatsapp.offer_pairing("2@first")
        await trial.clock.settle()
        assert trial.core.gateway.pairing("default").qr == "2@first"
        trial.whatsapp.offer_pairing("2@second")
        await trial.clock.settle()
        assert trial.core.gateway.pairing("default").qr == "2@second"
        assert await trial.core.gateway.pair_by_code("default", "+1 555 000 1111") == "CODE-1111"
        await trial.connect()
        assert trial.core.gateway.account("default").jid == "15550001111@s.whatsapp.net"
        with pytest.raises(Conflict):
            trial.core.gateway.pairing("default")


async def test_an_expired_code_is_not_shown() -> None:
    async with running(build_trial()) as trial:
        trial.whatsapp.offer_pairing(valid=20.0)
        await trial.clock.advance(21.0)
        with pytest.raises(Conflict):
            trial.core.gateway.pairing("default")


async def test_pairing_is_offered_anew_ten_times_and_then_when_somebody_asks() -> None:
    async with running(build_trial()) as trial:
        for _round in range(20):
            trial.whatsapp.offer_pairing()
            trial.whatsapp.tell_link(LinkSignal.EXPIRED)
            await trial.clock.settle()
        assert attempts(trial) == 10
        assert trial.core.gateway.account("default").state is LinkState.UNPAIRED
        await trial.core.gateway.connect("default")
        await trial.clock.settle()
        assert attempts(trial) == 11


@pytest.mark.parametrize("signal", [LinkSignal.REPLACED, LinkSignal.LOGGED_OUT, LinkSignal.OUTDATED])
async def test_what_cannot_or_must_not_be_tried_again_is_closed_and_left_alone(signal: LinkSignal) -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.tell_link(signal)
        await trial.clock.settle()
        assert ("disconnect", "default") in trial.whatsapp.asked
        trial.whatsapp.tell_link(LinkSignal.UP)  # the library may have tried again by itself meanwhile
        await trial.clock.advance(3600.0)
        assert attempts(trial) == 1
        assert trial.core.gateway.account("default").state == signal.value
        await trial.core.gateway.connect("default")
        await trial.clock.settle()
        assert attempts(trial) == 2


@pytest.mark.parametrize(
    ("signal", "at_start"),
    [
        (LinkSignal.REPLACED, 0),
        (LinkSignal.STOPPED, 0),
        (LinkSignal.LOGGED_OUT, 1),
        (LinkSignal.OUTDATED, 1),
        (LinkSignal.DOWN, 1),
    ],
)
async def test_a_restart_connects_all_but_those_that_were_replaced_or_stopped(
    signal: LinkSignal, at_start: int
) -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        if signal is LinkSignal.STOPPED:
            await trial.core.gateway.disconnect("default")
        trial.whatsapp.tell_link(signal)
        await trial.clock.settle()
    async with running(build_trial(stores=stores)) as trial:
        await trial.clock.advance(1.0)
        assert attempts(trial) == at_start


async def test_a_ban_is_waited_out_even_over_a_restart() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        await trial.connect()
        trial.whatsapp.tell_link(LinkSignal.BANNED, until=START + 600.0)
        await trial.clock.advance(100.0)
        assert trial.core.gateway.account("default").until == START + 600.0
    async with running(build_trial(stores=stores, clock=FakeClock(START + 200.0))) as trial:
        await trial.clock.advance(399.0)
        assert attempts(trial) == 0
        await trial.clock.advance(2.0)
        assert attempts(trial) == 1


async def test_a_link_that_the_library_does_not_bring_back_is_made_anew_at_intervals() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        trial.whatsapp.tell_link(LinkSignal.DOWN)
        await trial.clock.advance(STUCK - 1.0)
        assert attempts(trial) == 1
        await trial.clock.advance(2.0)
        assert attempts(trial) == 2
        await trial.clock.advance(10 * STUCK)
        assert attempts(trial) == 12
        assert trial.core.gateway.account("default").reconnects == 1


async def test_a_refusal_that_we_do_not_know_is_tried_less_and_less_often() -> None:
    async with running(build_trial()) as trial:
        await trial.clock.settle()
        for number, wait in enumerate(FAILED_BACKOFF, start=1):
            trial.whatsapp.tell_link(LinkSignal.ERROR, detail="reason 418")
            await trial.clock.advance(wait - 1.0)
            assert attempts(trial) == number
            await trial.clock.advance(2.0)
            assert attempts(trial) == number + 1
        assert trial.core.gateway.account("default").failures == len(FAILED_BACKOFF)
        await trial.connect()
        assert trial.core.gateway.account("default").failures == 0


async def test_a_connect_that_cannot_even_begin_is_told_and_tried_again() -> None:
    trial = build_trial()

    async def refuse(account: str) -> None:
        raise Unavailable(f"no library for {account}")

    trial.whatsapp.connect = refuse  # type: ignore[method-assign]
    async with running(trial):
        assert [fact.part for fact in trial.facts.of(PartFailed)] == ["link default"]
        assert trial.core.gateway.account("default").state is LinkState.TRANSIENT
        await trial.clock.advance(STUCK + 1.0)
        assert len(trial.facts.of(PartFailed)) == 2


async def test_whoever_closes_a_link_has_it_closed_until_it_is_asked_for() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        await trial.core.gateway.disconnect("default")
        await trial.clock.jump(WEEK)
        assert attempts(trial) == 1
        assert trial.core.gateway.account("default").state is LinkState.STOPPED


async def test_accounts_are_added_and_removed_by_names_that_fit() -> None:
    stores = MemoryStores()
    async with running(build_trial(stores=stores)) as trial:
        gateway = trial.core.gateway
        for wrong in ("", "Desk", "-desk", "d" * 33, "desk 1"):
            with pytest.raises(InvalidSettings):
                await gateway.add_account(wrong)
        await gateway.add_account("desk")
        with pytest.raises(Conflict):
            await gateway.add_account("desk")
        await trial.connect("desk")
        await gateway.remove_account("desk")
        assert ("log_out", "desk") in trial.whatsapp.asked
        with pytest.raises(NotFound):
            gateway.account("desk")
        trial.whatsapp.tell_link(LinkSignal.UP, "desk")  # a late word about it
        await trial.clock.settle()
        assert trial.facts.of(AccountChanged)[-1].after.state is not LinkState.UNPAIRED
    assert [account.name for account in await stores.accounts.load()] == ["default"]
