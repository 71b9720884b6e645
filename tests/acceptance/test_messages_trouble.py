# SPDX-License-Identifier: Apache-2.0
"""Messages while WhatsApp is slow, silent, unwilling or gone: none is lost, none is sent twice, and states are true."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.acceptance.stage import PushedClock, staged
from tests.acceptance.talk import Talk
from wigwag.domain.account import LinkState, Stall
from wigwag.domain.contents import Kind, Media
from wigwag.domain.delivery import State
from wigwag.domain.events import AccountChanged
from wigwag.simulator import ReceiptPolicy, Simulator

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.chaos]

PEOPLE = [f"1555050{number:04d}" for number in range(40)]
DEGRADED = LinkState.DEGRADED
WORD = 1.5  # seconds; what waits longer is given up


@pytest_asyncio.fixture(loop_scope="session", scope="module", autouse=True)
async def people(simulator: Simulator) -> None:
    for place, number in enumerate(PEOPLE):
        simulator.put_contact(number, addressed_by_lid=place % 2 == 1)


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def talk(
    simulator: Simulator, clock: PushedClock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Talk]:
    """A gateway with little patience."""
    phone, home = "15550500999", tmp_path_factory.mktemp("trouble")
    async with staged(simulator, clock, home, word=WORD) as stage:
        await stage.pair(phone)
        yield Talk(stage=stage, phone=phone)


@pytest.fixture(autouse=True)
def faultless(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.clear_faults()


async def test_a_slow_word_is_waited_for(talk: Talk) -> None:
    await talk.stage.simulator.inject("delay_acks", talk.phone, delay=1.0, count=1)
    job = await talk.sent(PEOPLE[0], "slow")
    assert talk.states(job)[:3] == [State.ACCEPTED, State.SENDING, State.SENT]
    assert [line.text for line in talk.read(PEOPLE[0])] == ["slow"]


@pytest.mark.parametrize("number", PEOPLE[1:3])
async def test_without_a_word_a_message_is_unconfirmed_until_a_receipt_settles_it(
    talk: Talk, clock: PushedClock, number: str
) -> None:
    simulator = talk.stage.simulator
    simulator.set_receipts(ReceiptPolicy(hold=True), number)
    await simulator.inject("drop_acks", talk.phone, count=1)
    job = await talk.until(await talk.send(number, "silence"), State.UNCONFIRMED)
    assert [line.id for line in talk.read(number)] == [job.message_id]
    await back(talk, clock)
    await simulator.release_receipts(number)
    settled = await talk.until(job, State.READ)
    assert settled.sent_at is not None
    assert [line.text for line in talk.read(number)] == ["silence"]
    simulator.unset_receipts(number)


async def test_a_word_that_comes_too_late_still_settles_a_message(talk: Talk, clock: PushedClock) -> None:
    simulator = talk.stage.simulator
    simulator.set_receipts(ReceiptPolicy(delivery=False, read=False), PEOPLE[3])
    await simulator.inject("delay_acks", talk.phone, delay=WORD + 0.3, count=1)
    job = await talk.send(PEOPLE[3], "late")
    await talk.stage.until(lambda: State.UNCONFIRMED in talk.states(job))
    await talk.until(job, State.SENT)
    assert [line.text for line in talk.read(PEOPLE[3])] == ["late"]
    await back(talk, clock)


@pytest.mark.parametrize("code", [400, 406, 479])
async def test_an_error_for_good_fails_a_message_at_once(talk: Talk, code: int) -> None:
    await talk.stage.simulator.inject("error_acks", talk.phone, code=code, count=1)
    job = await talk.until(await talk.send(PEOPLE[4], "no"), State.FAILED)
    assert job.code == "refused"
    assert str(code) in job.detail
    assert talk.read(PEOPLE[4]) == []


@pytest.mark.parametrize("code", [429, 500, 503])
async def test_an_error_that_may_pass_is_tried_again_up_the_ladder(talk: Talk, clock: PushedClock, code: int) -> None:
    number = PEOPLE[5 + code % 7]
    await talk.stage.simulator.inject("error_acks", talk.phone, code=code, count=2)
    job = await talk.send(number, "first")
    behind = await talk.send(number, "second")
    for attempts in (1, 2):
        await talk.stage.until(lambda attempts=attempts: talk.states(job).count(State.ACCEPTED) == 1 + attempts)  # type: ignore[misc]
        waiting = await talk.job(job)
        assert (waiting.attempts, waiting.code) == (attempts, "unavailable")
        clock.push(31.0)
    await talk.until(job, State.READ)
    await talk.until(behind, State.READ)
    assert [line.text for line in talk.read(number)] == ["first", "second"]


async def test_an_upload_that_fails_for_now_is_tried_again(talk: Talk, clock: PushedClock) -> None:
    kept = await talk.stage.core.gateway.messages.keep_media(b"%PDF-1.7 upload")
    await talk.stage.simulator.inject("media_refuse", talk.phone, code=503, count=1)
    job = await talk.send(PEOPLE[14], Media(kind=Kind.DOCUMENT, media=kept))
    await talk.stage.until(lambda: talk.states(job)[1:])
    assert talk.states(job)[1] is not State.FAILED, (await talk.job(job)).detail
    clock.push(31.0)
    await talk.until(job, State.READ)


async def back(talk: Talk, clock: PushedClock) -> None:
    """Whoever got no word makes a new link after a while, and says why."""
    account = talk.stage.core.gateway.account
    await talk.stage.until(lambda: not account("default").connected)
    stalls = [change.after.detail for change in talk.stage.facts.of(AccountChanged) if change.after.state is DEGRADED]
    assert set(stalls) == {Stall.MESSAGES}
    clock.push(46.0)
    await talk.stage.until(lambda: account("default").connected)
