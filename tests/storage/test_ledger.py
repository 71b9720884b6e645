# SPDX-License-Identifier: Apache-2.0
"""The ledger in SQL under pressure: many callers, rows that do not fit, a locked file, a kill; and beside a model."""

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.making import BRUNO, NOW, WANDA, event, job, step
from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.ledger import MemoryLedger
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.ports import JobFilter, Ledger
from wigwag.domain.delivery import TRANSITIONS, Job, State
from wigwag.domain.errors import StoreUnavailable

SHORT, SAFETY = 0.5, 60.0
KINDS = st.sampled_from(["accept", "accept", "accept", "move", "move", "move", "retry"])
actions = st.lists(
    st.lists(st.tuples(KINDS, st.integers(0, 5), st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6),
    min_size=1,
    max_size=8,
)


class Beside:
    """Does the same to a store and to a model, and compares every answer. Each has an account of its own."""

    def __init__(self, stores: Stores, account: str) -> None:
        self.stores, self.account = stores, account
        self.log = MemoryEventLog()
        self.model = MemoryLedger(self.log)
        self.known: list[Job] = []

    async def together(self, batch: list[tuple[str, int, int, int]]) -> None:
        """Calls at the same time: the store's are written in a group, and count in the order in which they came."""
        calls = [self.call(*action) for action in batch]
        answers = await asyncio.gather(*(make(self.stores.ledger) for make in calls))
        expected = [await make(self.model) for make in calls]
        assert [_bare(answer) for answer in answers] == [_bare(answer) for answer in expected]

    def call(self, kind: str, which: int, key: int, number: int) -> Callable[[Ledger], Awaitable[Sequence[object]]]:
        if kind == "accept" or not self.known:
            made = job(
                [WANDA, BRUNO][which % 2],
                account=self.account,
                key=f"{self.account} {key}" if key else None,
                priority=number,
                due=NOW + which,
            )
            self.known.append(made)
            told = event(job=made.id)
            return lambda ledger: ledger.accept([made], [told])
        known = self.known[which % len(self.known)]
        ways = sorted(TRANSITIONS)
        before, after = ways[number % len(ways)], ways[key % len(ways)]
        before, after = (State.ACCEPTED, State.SENDING) if number < 5 else (before, after)
        moved = replace(known, state=after, message_id=f"3EB0{which}")
        if kind == "retry":
            moved = replace(known, attempts=1, due=NOW + number)
            before = State.ACCEPTED if key else State.SENDING
        told = event(job=known.id)
        taken = replace(step(known, State.SENDING), before=before, after=moved)
        return lambda ledger: ledger.advance([taken], [told])

    async def agree(self) -> None:
        for now in (NOW, NOW + 3, NOW + 99):
            mine, model = [await one.due(self.account, now, 4) for one in self.both()]
            assert _bare(mine) == _bare(model)
            mine, model = [await one.due(self.account, now, 9, [each.id for each in model[:2]]) for one in self.both()]
            assert _bare(mine) == _bare(model)
            first, second = [await one.next_due(self.account, now) for one in self.both()]
            assert first == second
        for state in State:
            mine, model = [await one.in_state(self.account, state) for one in self.both()]
            assert _bare(mine) == _bare(model)
        mine, model = [await one.by_message(self.account, ["3EB01", "3EB02"]) for one in self.both()]
        assert sorted(each.id for each in mine) == sorted(each.id for each in model)

    def both(self) -> tuple[Ledger, Ledger]:
        return self.stores.ledger, self.model


def _bare(answer: Sequence[object]) -> list[object]:
    """Jobs without their places, whose order is seen in the order of the lists."""
    return [replace(each, place=0) if isinstance(each, Job) else each for each in answer]


@pytest.fixture
async def stores(database_url: str) -> AsyncIterator[Stores]:
    stores = await open_stores(database_url, patience=SAFETY)
    yield stores
    await stores.close()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=actions)
async def test_whatever_happens_together_the_ledger_answers_like_a_model(
    stores: Stores, batches: list[list[tuple[str, int, int, int]]]
) -> None:
    beside = Beside(stores, f"account-{(await stores.events.last())}")
    start = await stores.events.last()
    await stores.events.append([event()])  # the next example has another account
    for batch in batches:
        await beside.together(batch)
        await beside.agree()
    told = [each for _position, each in await stores.events.after(start + 1, 1000)]
    assert told == [each for _position, each in await beside.log.after(0, 1000)]


async def test_a_row_that_does_not_fit_fails_alone_among_many(stores: Stores) -> None:
    misfit = job(key="half a character: \ud83d")
    made = [job() for _ in range(10)]
    made.insert(5, misfit)
    answers = await asyncio.gather(*(stores.ledger.accept([each]) for each in made), return_exceptions=True)
    assert [type(answer) for answer in answers] == [list] * 5 + [StoreUnavailable] + [list] * 5
    assert len(await stores.ledger.due("default", NOW, 99)) == 10


async def test_whoever_is_cancelled_harms_no_other(stores: Stores) -> None:
    made = [job() for _ in range(40)]
    calls = [asyncio.create_task(stores.ledger.accept([each]), name="accept") for each in made]
    for call in calls[::2]:
        await asyncio.sleep(0)
        call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, list) for answer in answers[1::2])
    kept = {each.id for each in await stores.ledger.due("default", NOW, 99)}
    assert {each.id for each in made[1::2]} <= kept


async def test_a_locked_file_refuses_writes_and_the_first_call_after_works(tmp_path: Path) -> None:
    path = tmp_path / "wigwag.db"
    stores = await open_stores(f"sqlite:///{path}", patience=SHORT)
    [kept] = await stores.ledger.accept([job()])
    sending = step(kept, State.SENDING)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        accepting = [stores.ledger.accept([job()]) for _ in range(5)]
        async with asyncio.timeout(SAFETY):
            answers = await asyncio.gather(*accepting, stores.ledger.advance([sending]), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StoreUnavailable] * 6
        assert await stores.ledger.due("default", NOW, 9) == [kept]
        other.execute("ROLLBACK")
    assert await stores.ledger.advance([sending], [event(job=kept.id)]) == [True]
    assert await stores.jobs.find(JobFilter(), 9) == [sending.after]
    assert await stores.events.last() == 1
    await stores.close()


WRITER = """
import asyncio, sys
from wigwag.adapters.storage import open_stores
from wigwag.app.ports import Step
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, State, move
from wigwag.domain.outbox import Event

def told(job):
    return Event(id=f"{job.id}.{job.state}", kind="webhook.test", account="a", at=1.0, data={"job": job.id})

async def write_for_ever(ledger, lane):
    number = 0
    while True:
        number += 1
        job = Job(id=f"{lane:016x}{number:016x}", account="a", to="15550100042@s.whatsapp.net",
                  content=Text(text="Hello"), since=1.0, created=1.0, due=1.0)
        [kept] = await ledger.accept([job], [told(job)])
        print(kept.id, "accepted", flush=True)
        sending = move(kept, State.SENDING, 2.0)
        await ledger.advance([Step(before=State.ACCEPTED, after=sending)], [told(sending)])
        print(kept.id, "sending", flush=True)

async def main():
    stores = await open_stores(sys.argv[1])
    await asyncio.gather(*(write_for_ever(stores.ledger, lane) for lane in range(4)))

asyncio.run(main())
"""


@pytest.mark.parametrize("acknowledged", [1, 2, 40])
async def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    """Nor is a job there without the events that tell of it, or an event without its job."""
    address = f"sqlite:///{tmp_path}/wigwag.db"
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, address), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout
    async with asyncio.timeout(SAFETY):
        lines = [await writer.stdout.readline() for _ in range(acknowledged)]
        writer.send_signal(signal.SIGKILL)
        lines += (await writer.stdout.read()).splitlines(keepends=True)
        await writer.wait()
    stores = await open_stores(address, patience=SAFETY)
    kept = {each.id: each for each in await stores.jobs.find(JobFilter(), 100_000)}
    told = [each.id for _position, each in await stores.events.after(0, 100_000)]
    for job_id, state in (line.decode().split() for line in lines if line.endswith(b"\n")):
        assert kept[job_id].state is State.SENDING or state == "accepted"
    sending = {f"{each.id}.sending" for each in kept.values() if each.state is State.SENDING}
    assert sorted(told) == sorted(sending | {f"{job_id}.accepted" for job_id in kept})
    [after] = await stores.ledger.accept([job()])
    assert after.place > max(each.place for each in kept.values())
    await stores.close()
