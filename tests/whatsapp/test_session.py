# SPDX-License-Identifier: Apache-2.0
"""A client that ends while somebody waits for it: they hear of it, and are not taken for cancelled."""

import asyncio
from pathlib import Path

import pytest

from wigwag.adapters.whatsapp.gate import Gate
from wigwag.adapters.whatsapp.inbox import Inbox
from wigwag.adapters.whatsapp.session import Cut, Session, Silent
from wigwag.domain.account import Stall
from wigwag.domain.errors import NotLinked, Unavailable


async def test_whoever_waits_when_a_client_ends_hears_of_it_and_goes_on(tmp_path: Path) -> None:
    session, never = Session("default", 1, tmp_path / "whatsapp.db", Inbox(), Gate(), lambda: 0.0), asyncio.Event()
    sending = session.begin(lambda _client: never.wait())
    calling = asyncio.create_task(session.call(lambda _client: never.wait()))
    await _under_way()
    await session.stop()
    with pytest.raises(Cut):
        await sending
    with pytest.raises(NotLinked):
        await calling
    with pytest.raises(NotLinked):
        session.begin(lambda _client: never.wait())


async def test_what_had_not_begun_when_a_client_ended_never_begins(tmp_path: Path) -> None:
    begun: list[object] = []

    async def work(client: object) -> None:
        begun.append(client)

    session = Session("default", 3, tmp_path / "whatsapp.db", Inbox(), Gate(), lambda: 0.0)
    sending = session.begin(work)
    await session.stop()
    with pytest.raises(NotLinked):
        await sending
    assert begun == []


async def test_whoever_is_cancelled_while_waiting_is_cancelled_and_the_client_goes_on(tmp_path: Path) -> None:
    session, never = Session("default", 2, tmp_path / "whatsapp.db", Inbox(), Gate(), lambda: 0.0), asyncio.Event()
    calling = asyncio.create_task(session.call(lambda _client: never.wait()))
    await _under_way()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    never.set()
    assert await session.call(lambda _client: never.wait())
    await session.stop()


@pytest.mark.parametrize("transfer", [False, True])
async def test_a_question_without_an_answer_makes_the_link_suspect_and_a_slow_transfer_does_not(
    tmp_path: Path, transfer: bool
) -> None:
    inbox, never = Inbox(), asyncio.Event()
    session = Session("default", 4, tmp_path / "whatsapp.db", inbox, Gate(), lambda: 7.0)
    with pytest.raises(Unavailable):
        await session.call(lambda _client: never.wait(), patience=0.0, transfer=transfer)
    heard = [each.message for each in await inbox.take()] if len(inbox) else []
    assert heard == ([] if transfer else [Silent(Stall.REQUESTS, 7.0)])
    await session.stop()


async def _under_way() -> None:
    """Let the calls begin that can begin."""
    for _turn in range(5):
        await asyncio.sleep(0)
