# SPDX-License-Identifier: Apache-2.0
"""The law of the port Eraser, on every kind of store."""

from tests.contract.making import BRUNO, GROUP, NOW, WANDA, event, job, message
from wigwag.app.ports import Eraser, EventLog, JobArchive, JobFilter, Ledger, MessageStore
from wigwag.domain.contents import Kind, Media
from wigwag.domain.delivery import Mark, Receipt
from wigwag.domain.ids import Jid
from wigwag.domain.messages import MessageKind

NEIGHBOUR = Jid(f"1{WANDA}")  # ends like Wanda's, and is somebody else's


def receipt(reader: Jid, chat: Jid) -> Receipt:
    return Receipt(account="default", chat=chat, reader=reader, message_ids=("3EB0",), mark=Mark.READ, at=NOW)


async def test_nobody_is_erased_from_an_empty_store(eraser: Eraser) -> None:
    assert await eraser.erase_messages(WANDA) == set()


async def test_jobs_to_a_person_go_with_their_keys(eraser: Eraser, ledger: Ledger, archive: JobArchive) -> None:
    gone, left, neighbour = await ledger.accept([job(key="k"), job(BRUNO), job(NEIGHBOUR)])
    await eraser.erase_messages(WANDA)
    assert await archive.find(JobFilter(), 9) == [neighbour, left]
    [again] = await ledger.accept([job(key="k")])
    assert again.id != gone.id


async def test_what_a_person_said_and_was_told_goes(eraser: Eraser, messages: MessageStore) -> None:
    left = [message(BRUNO, sender=BRUNO), message(GROUP, sender=BRUNO), message(NEIGHBOUR, sender=NEIGHBOUR)]
    gone = [message(), message(from_me=True, sender=BRUNO), message(GROUP), message(account="second")]
    await messages.keep([*left, *gone])
    for _ in range(2):
        await eraser.erase_messages(WANDA)
    for each in [*left, *gone]:
        assert await messages.get(each.account, each.chat, each.id) == (each if each in left else None)


async def test_receipts_of_a_person_go_and_those_of_others_stay(
    eraser: Eraser, ledger: Ledger, archive: JobArchive
) -> None:
    to_wanda, to_group = await ledger.accept([job(), job(GROUP)])
    others = receipt(BRUNO, GROUP)
    await archive.keep_receipts(
        [(to_wanda.id, receipt(WANDA, WANDA)), (to_group.id, receipt(WANDA, GROUP)), (to_group.id, others)]
    )
    await eraser.erase_messages(WANDA)
    assert await archive.receipts(to_wanda.id) == []
    assert await archive.receipts(to_group.id) == [others]


async def test_events_that_name_a_person_anywhere_go(eraser: Eraser, log: EventLog) -> None:
    gone = [event(to=WANDA), event(who={"people": [BRUNO, WANDA]}), event(text="\0 🦩", sender=WANDA)]
    left = [event(to=BRUNO), event(), event(to=NEIGHBOUR), event(to=WANDA[1:]), event(to=f"{WANDA}x")]
    await log.append([*gone, *left])
    last = await log.last()
    await eraser.erase_messages(WANDA)
    assert [told for _position, told in await log.after(0, 99)] == left
    assert await log.get(gone[0].id) is None
    assert await log.last() == last


async def test_media_that_nobody_else_names_are_told(eraser: Eraser, ledger: Ledger, messages: MessageStore) -> None:
    ids = [letter * 64 for letter in "abcdef"]
    only_hers, in_her_job, in_two_of_hers, sent_to_another, said_by_another, of_others = ids

    def photo(media: str) -> Media:
        return Media(kind=Kind.IMAGE, media=media)

    hers = [only_hers, in_two_of_hers, sent_to_another, said_by_another]
    theirs = [said_by_another, of_others]
    await messages.keep([message(kind=MessageKind.IMAGE, media=media) for media in hers])
    await messages.keep([message(BRUNO, sender=BRUNO, kind=MessageKind.IMAGE, media=media) for media in theirs])
    await ledger.accept([job(content=photo(in_her_job)), job(content=photo(in_two_of_hers))])
    await ledger.accept([job(BRUNO, content=photo(sent_to_another)), job()])
    assert await eraser.erase_messages(WANDA) == {only_hers, in_her_job, in_two_of_hers}
    assert await eraser.erase_messages(WANDA) == set()
    assert await eraser.erase_messages(BRUNO) == {sent_to_another, said_by_another, of_others}


async def test_media_of_a_deleted_message_are_still_told(eraser: Eraser, messages: MessageStore) -> None:
    photo = message(kind=MessageKind.IMAGE, media="a" * 64)
    await messages.keep([photo, message(kind=MessageKind.DELETION, target=photo.id, at=NOW + 1)])
    assert await eraser.erase_messages(WANDA) == {"a" * 64}
