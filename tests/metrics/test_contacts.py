# SPDX-License-Identifier: Apache-2.0
"""The three series of seed 000: right for every book, whatever the names, however often it is scraped."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metrics.reading import OPEN_METRICS, Samples, Scrape, named, series
from wigwag.adapters.metrics import Metrics, hashed
from wigwag.domain.book import BLOCK, Book
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Signal, Status
from wigwag.testing import START, Trial, build_trial

ANNA, BERT = Jid("919876543210@s.whatsapp.net"), Jid("919123456789@s.whatsapp.net")
ONLINE, CHANGES, SEEN = (
    "whatsapp_contact_online",
    "whatsapp_contact_status_changes_total",
    "whatsapp_contact_last_seen_timestamp_seconds",
)

odd_names = st.text(st.sampled_from('an "\\\n\r\t{}=,#é😀\u2028\x00') | st.characters(codec="utf-8"), max_size=20)
contacts = st.builds(
    Presence,
    jid=st.integers(10**9, 10**9 + 4).map(lambda number: Jid(f"{number}@s.whatsapp.net")),
    name=odd_names,
    account=st.just("default"),
    status=st.sampled_from(Status),
    last_seen=st.none() | st.floats(0, 4e9),
    went_online=st.integers(0, 2**31),
    went_offline=st.integers(0, 2**31),
)


def expected(book: Book) -> Samples:
    """What the three families must say, the slow and plain way."""
    samples: Samples = {}
    for contact in book.views():
        labels = {"jid": str(contact.jid), "name": contact.name}
        if contact.status is not Status.UNKNOWN:
            samples[series(ONLINE, **labels)] = float(contact.status is Status.ONLINE)
        samples[series(CHANGES, **labels, status="online")] = contact.went_online
        samples[series(CHANGES, **labels, status="offline")] = contact.went_offline
        if contact.last_seen is not None:
            samples[series(SEEN, **labels)] = int(contact.last_seen)
    return samples


def fresh() -> tuple[Trial, Scrape]:
    trial = build_trial()
    return trial, Scrape(Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0"))


async def check(trial: Trial, scrape: Scrape) -> None:
    for accept in ("", OPEN_METRICS):
        assert named(await scrape.samples(accept), (ONLINE, CHANGES, SEEN)) == expected(trial.core.book)


@given(st.lists(contacts, max_size=12))
async def test_what_is_written_is_read_back_whatever_the_names(people: list[Presence]) -> None:
    trial, scrape = fresh()
    for contact in people:
        trial.core.book.put(contact)
    await check(trial, scrape)


@given(st.lists(st.tuples(st.sampled_from(["put", "remove", "rename", "online", "lose"]), contacts), max_size=30))
async def test_every_scrape_of_a_changing_book_shows_it_as_it_is(steps: list[tuple[str, Presence]]) -> None:
    """Kept text must never outlive what it says: removed, renamed and reused rows included."""
    trial, scrape = fresh()
    book = trial.core.book
    for at, (step, contact) in enumerate(steps):
        if step == "put":
            book.put(contact)
        elif contact.jid in book:
            match step:
                case "remove":
                    book.remove(contact.jid)
                case "rename":
                    book.rename(contact.jid, contact.name)
                case "online":
                    book.report(contact.jid, Signal.AVAILABLE, START + at, account="default")
                case "lose":
                    book.lose(contact.jid, START + at)
        await check(trial, scrape)


async def test_a_change_in_one_of_many_blocks_is_shown() -> None:
    trial, scrape = fresh()
    jids = [Jid(f"{10**9 + index}@s.whatsapp.net") for index in range(5 * BLOCK + 3)]
    for jid in jids:
        trial.core.book.put(Presence(jid=jid, name="x", account="default"))
    await check(trial, scrape)
    trial.core.book.report(jids[3 * BLOCK], Signal.AVAILABLE, START, account="default")
    trial.core.book.remove(jids[-1])
    await check(trial, scrape)


async def test_a_scrape_shows_one_instant_however_long_it_takes() -> None:
    """Everybody goes online, and is moved to another row, after the scrape began: it shows none of that."""
    trial, scrape = fresh()
    book = trial.core.book
    people = [
        Presence(jid=Jid(f"{10**9 + index}@s.whatsapp.net"), name="x", account="default", status=Status.OFFLINE)
        for index in range(20 * BLOCK)
    ]
    for contact in people:
        book.put(contact)
    before = expected(book)
    _content_type, chunks = await scrape.metrics.exposition("")
    text = [await anext(chunks) for _ in range(3)]
    for contact in people:
        book.remove(contact.jid)
    for contact in people:
        book.put(replace(contact, status=Status.ONLINE))
    text += [chunk async for chunk in chunks]
    assert named(scrape.read(b"".join(text).decode()), (ONLINE, CHANGES, SEEN)) == before
    await check(trial, scrape)


async def test_two_scrapes_at_once_do_not_spoil_each_other() -> None:
    trial, scrape = fresh()
    for index in range(3 * BLOCK):
        trial.core.book.put(Presence(jid=Jid(f"{10**9 + index}@s.whatsapp.net"), name="x", account="default"))
    before = expected(trial.core.book)
    _type, first = await scrape.metrics.exposition("")
    text = [await anext(first), await anext(first)]
    trial.core.book.report(Jid(f"{10**9}@s.whatsapp.net"), Signal.AVAILABLE, START, account="default")
    await check(trial, scrape)
    text += [chunk async for chunk in first]
    assert named(scrape.read(b"".join(text).decode()), (ONLINE, CHANGES, SEEN)) == before
    await check(trial, scrape)


async def test_a_contact_has_the_lines_of_the_seed(trial: Trial, scrape: Scrape) -> None:
    book = trial.core.book
    for jid, name, status in ((ANNA, "John Doe", Status.ONLINE), (BERT, "Jane Smith", Status.OFFLINE)):
        contact = Presence(jid=jid, name=name, account="default", status=status, last_seen=1729715234.7, went_online=45)
        book.put(contact)
    lines = (await scrape.text()).splitlines()
    assert 'whatsapp_contact_online{jid="919876543210@s.whatsapp.net",name="John Doe"} 1' in lines
    assert 'whatsapp_contact_online{jid="919123456789@s.whatsapp.net",name="Jane Smith"} 0' in lines
    changes = f'{CHANGES}{{jid="919876543210@s.whatsapp.net",name="John Doe",status="online"}} 45'
    assert changes in lines
    assert f'{SEEN}{{jid="919123456789@s.whatsapp.net",name="Jane Smith"}} 1729715234' in lines
    assert "# TYPE whatsapp_contact_status_changes_total counter" in lines


@pytest.mark.parametrize("link", ["lost", "never heard"])
async def test_who_is_unknown_has_no_online_sample(trial: Trial, scrape: Scrape, link: str) -> None:
    """So that an alert on `== 0` cannot take our outage for theirs."""
    trial.core.book.put(Presence(jid=ANNA, name="Anna", account="default"))
    if link == "lost":
        trial.core.book.report(ANNA, Signal.AVAILABLE, START, account="default")
        assert await scrape.value(ONLINE, jid=ANNA, name="Anna") == 1.0
        trial.core.book.lose_account("default", START + 1)
    assert await scrape.value(ONLINE, jid=ANNA, name="Anna") is None
    assert await scrape.value(CHANGES, jid=ANNA, name="Anna", status="online") is not None


async def test_hashed_labels_name_nobody(trial: Trial) -> None:
    """A keyed hash tells contacts apart; without the key nobody can try numbers out."""
    trial.core.book.put(Presence(jid=ANNA, name="Anna", account="default", status=Status.ONLINE))
    made = Metrics(trial.core.book, trial.core.gateway, trial.clock, version="0", labels=hashed(b"key"))
    text = await Scrape(made).text()
    digest = hmac.new(b"key", ANNA.encode(), hashlib.sha256).hexdigest()[:12]
    assert f'whatsapp_contact_online{{jid="{digest}",name=""}} 1\n' in text
    assert "9198" not in text
    assert "Anna" not in text


async def test_a_name_that_is_not_utf8_does_not_spoil_the_scrape(trial: Trial, scrape: Scrape) -> None:
    trial.core.book.put(Presence(jid=ANNA, name="a\ud800b", account="default", status=Status.ONLINE))
    assert await scrape.value(ONLINE, jid=ANNA, name="a?b") == 1.0
