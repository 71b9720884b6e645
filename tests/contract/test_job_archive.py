# SPDX-License-Identifier: Apache-2.0
"""The law of the port JobArchive, on every kind of store."""

import pytest

from tests.contract.making import BRUNO, GROUP, NOW, WANDA, job, step
from wigwag.app.ports import JobArchive, JobFilter, Ledger
from wigwag.domain.delivery import OPEN, Mark, Receipt, State


def receipt(mark: Mark = Mark.DELIVERED, reader: str = WANDA, at: float = NOW) -> Receipt:
    return Receipt(account="default", chat=GROUP, reader=reader, message_ids=("3EB0", "3EB1"), mark=mark, at=at)  # type: ignore[arg-type]


async def test_a_job_is_found_by_its_id(ledger: Ledger, archive: JobArchive) -> None:
    [kept] = await ledger.accept([job()])
    assert await archive.get(kept.id) == kept
    assert await archive.get("f" * 32) is None


FILTERS = {
    "all": (JobFilter(), "hgfedcba"),
    "an account": (JobFilter(account="second"), "g"),
    "a recipient": (JobFilter(to=(BRUNO,)), "eb"),
    "one of two recipients": (JobFilter(to=(BRUNO, GROUP)), "heb"),
    "states": (JobFilter(states=(State.SENT, State.SENDING)), "dc"),
    "scheduled": (JobFilter(scheduled=True), "f"),
    "not scheduled": (JobFilter(scheduled=False), "hgedcba"),
    "all at once": (JobFilter(account="default", to=(BRUNO,), states=(State.ACCEPTED,), scheduled=False), "eb"),
}


@pytest.mark.parametrize("wanted", FILTERS)
async def test_jobs_are_listed_newest_first(ledger: Ledger, archive: JobArchive, wanted: str) -> None:
    made = {
        "a": job(),
        "b": job(BRUNO),
        "c": job(state=State.SENT),
        "d": job(state=State.SENDING, due=NOW + 5),
        "e": job(BRUNO, attempts=1, due=NOW + 5),
        "f": job(due=NOW + 5),
        "g": job(account="second"),
        "h": job(GROUP),
    }
    kept = dict(zip(made, await ledger.accept(list(made.values())), strict=True))
    condition, expected = FILTERS[wanted]
    assert await archive.find(condition, 100) == [kept[name] for name in expected]
    assert await archive.find(condition, 1) == [kept[expected[0]]]


async def test_a_list_goes_on_before_a_place(ledger: Ledger, archive: JobArchive) -> None:
    kept = await ledger.accept([job() for _ in range(5)])
    assert await archive.find(JobFilter(before=kept[3].place), 2) == [kept[2], kept[1]]
    assert await archive.find(JobFilter(before=kept[0].place), 2) == []


async def test_jobs_are_counted_by_account_and_state(ledger: Ledger, archive: JobArchive) -> None:
    assert await archive.counts() == {}
    kept = await ledger.accept([job(), job(), job(account="second")])
    await ledger.advance([step(kept[0], State.SENDING)])
    assert await archive.counts() == {
        ("default", State.SENDING): 1,
        ("default", State.ACCEPTED): 1,
        ("second", State.ACCEPTED): 1,
    }


async def test_receipts_come_oldest_first_and_each_once(ledger: Ledger, archive: JobArchive) -> None:
    [kept] = await ledger.accept([job(GROUP)])
    read, got, other = receipt(Mark.READ, at=NOW + 9), receipt(), receipt(reader=BRUNO, at=NOW + 1)
    await archive.keep_receipts([(kept.id, read), (kept.id, got), (kept.id, read)])
    await archive.keep_receipts([(kept.id, other), (kept.id, got)])
    await archive.keep_receipts([])
    assert await archive.receipts(kept.id) == [got, other, read]


async def test_receipts_of_a_job_that_is_gone_are_left_out_and_harm_no_other(
    ledger: Ledger, archive: JobArchive
) -> None:
    [kept] = await ledger.accept([job()])
    await archive.keep_receipts([("f" * 32, receipt()), (kept.id, receipt())])
    assert await archive.receipts("f" * 32) == []
    assert await archive.receipts(kept.id) == [receipt()]


@pytest.mark.parametrize("state", State)
async def test_what_ended_before_is_forgotten_with_its_receipts_and_its_key(
    ledger: Ledger, archive: JobArchive, state: State
) -> None:
    [old, young] = await ledger.accept([job(state=state, key="k"), job(state=state, since=NOW + 1.0)])
    await archive.keep_receipts([(old.id, receipt()), (young.id, receipt())])
    ended = state not in OPEN
    assert await archive.forget(NOW + 1.0) == int(ended)
    assert await archive.get(old.id) == (None if ended else old)
    assert await archive.receipts(old.id) == ([] if ended else [receipt()])
    assert await archive.receipts(young.id) == [receipt()]
    [again] = await ledger.accept([job(key="k")])
    assert (again.id != old.id) is ended


async def test_a_place_is_never_given_twice(ledger: Ledger, archive: JobArchive) -> None:
    [old] = await ledger.accept([job(state=State.SENT)])
    assert await archive.forget(NOW + 1.0) == 1
    [new] = await ledger.accept([job()])
    assert new.place > old.place


async def test_ten_thousand_jobs_are_forgotten(ledger: Ledger, archive: JobArchive) -> None:
    await ledger.accept([job(state=State.SENT) for _ in range(10_001)])
    await ledger.accept([job()])
    assert await archive.forget(NOW + 1.0) == 10_001
    assert await archive.counts() == {("default", State.ACCEPTED): 1}
