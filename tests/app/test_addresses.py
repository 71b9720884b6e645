# SPDX-License-Identifier: Apache-2.0
"""One person, several forms of a number: whatever was kept under one of them is found, answered and erased by any."""

import pytest

from tests.app.mailing import GROUP, message, send, texts
from wigwag.app.ports import JobFilter
from wigwag.domain.contents import Reaction
from wigwag.domain.delivery import State
from wigwag.domain.errors import InvalidJid, NotFound
from wigwag.domain.ids import Jid
from wigwag.testing import FakeClock, FakeWhatsApp, Trial, build_trial, running

FORMS = {  # today's, and the one that older accounts may be known under
    "Brazil": ("5511987654321", "551187654321"),
    "Mexico": ("525512345678", "5215512345678"),
    "Argentina": ("5491123456789", "541123456789"),
}
SPELLINGS = [
    (new, old, spelling)
    for new, old in FORMS.values()
    for spelling in (f"+{new}", f"+{old}", old, f"{old}@s.whatsapp.net")
]


def jid(number: str) -> Jid:
    return Jid(f"{number}@s.whatsapp.net")


def known_by(number: str) -> Trial:
    """A gateway to a WhatsApp that knows one number, under this form."""
    clock = FakeClock()
    return build_trial(clock=clock, whatsapp=FakeWhatsApp(clock, registry={jid(number): jid(number)}))


@pytest.mark.parametrize("known", [0, 1], ids=["known by the new form", "known by the old form"])
@pytest.mark.parametrize(("new", "old", "spelling"), SPELLINGS)
async def test_what_was_sent_to_somebody_is_found_by_any_form(new: str, old: str, spelling: str, known: int) -> None:
    async with running(known_by((new, old)[known])) as trial:
        await trial.connect()
        messages = trial.core.gateway.messages
        sent = [await send(trial, form, form) for form in (f"+{new}", jid(old))]
        await trial.clock.advance(1.0)
        assert {one.to for one in trial.whatsapp.sent} == {jid((new, old)[known])}
        assert [one.id for one in await messages.jobs(JobFilter(), 9, to=spelling)] == [one.id for one in sent[::-1]]
        assert {one.job for one in await messages.chat(spelling)} == {one.id for one in sent}


@pytest.mark.parametrize(("new", "old", "spelling"), SPELLINGS)
async def test_two_forms_of_a_number_are_one_chat(new: str, old: str, spelling: str) -> None:
    async with running(build_trial()) as trial:
        said = [message(jid((new, old)[n % 2]), id=f"M{n}", at=float(n)) for n in range(6)]
        await trial.stores.messages.keep([*said, message(GROUP, id="G")])
        messages = trial.core.gateway.messages
        assert await messages.chat(spelling, limit=4) == said[:1:-1]
        assert [await messages.message(spelling, one.id) for one in said] == said
        with pytest.raises(NotFound):
            await messages.message(spelling, "G")


@pytest.mark.parametrize("kept", [0, 1], ids=["kept under the new form", "kept under the old form"])
@pytest.mark.parametrize(("new", "old", "spelling"), SPELLINGS)
async def test_a_message_is_answered_and_reacted_to_by_any_form(new: str, old: str, spelling: str, kept: int) -> None:
    async with running(known_by((new, old)[kept])) as trial:
        about = message(jid((new, old)[kept]), id="M1", text="how are you?")
        await trial.stores.messages.keep([about])
        await trial.connect()
        await send(trial, spelling, "fine", reply_to="M1")
        await send(trial, spelling, content=Reaction(message_id="M1", emoji="x"))
        await trial.clock.advance(1.0)
        quotes = [one.job.quote for one in trial.whatsapp.sent]
        assert [(quote.message_id, quote.sender) for quote in quotes if quote] == [("M1", about.sender)] * 2


@pytest.mark.parametrize(("new", "old", "spelling"), SPELLINGS)
async def test_a_person_is_erased_under_every_form(new: str, old: str, spelling: str) -> None:
    async with running(known_by(old)) as trial:
        await trial.connect()
        await send(trial, f"+{new}")
        await trial.clock.advance(1.0)
        await trial.stores.messages.keep([message(jid(new), id="M1")])
        await trial.core.gateway.erase(spelling)
        messages = trial.core.gateway.messages
        assert (await messages.jobs(JobFilter(), 9), await messages.chat(spelling)) == ([], [])


async def test_somebody_whose_number_no_plan_knows_is_found_all_the_same() -> None:
    """The plans have no country 999, and it wrote to us."""
    odd = jid("999123456789")
    async with running(build_trial()) as trial:
        await trial.stores.messages.keep([message(odd)])
        assert [one.chat for one in await trial.core.gateway.messages.chat("999123456789")] == [odd]


async def test_a_group_has_one_address() -> None:
    async with running(build_trial()) as trial:
        await trial.connect()
        sent = await send(trial, GROUP)
        await trial.clock.advance(1.0)
        messages = trial.core.gateway.messages
        assert [(one.id, one.state) for one in await messages.jobs(JobFilter(), 9, to=GROUP)] == [(sent.id, State.SENT)]
        assert [one.job for one in await messages.chat(f" {GROUP}")] == [sent.id]
        assert texts(trial, GROUP) == ["hello"]


@pytest.mark.parametrize("text", ["", "nobody", "x@g.us", "12", "1@lid"])
async def test_what_is_no_address_is_said_so(text: str) -> None:
    async with running(build_trial()) as trial:
        for ask in (trial.core.gateway.messages.chat(text), trial.core.gateway.messages.jobs(JobFilter(), 9, to=text)):
            with pytest.raises(InvalidJid):
                await ask
