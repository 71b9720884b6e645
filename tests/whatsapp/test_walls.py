# SPDX-License-Identifier: Apache-2.0
"""The walls of the WhatsApp room: directories, libraries and threads that do not do as they should."""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from wigwag.adapters.whatsapp import simulator
from wigwag.adapters.whatsapp.inbox import Heard
from wigwag.adapters.whatsapp.library import check, library_path
from wigwag.adapters.whatsapp.room import WhatsApp
from wigwag.adapters.whatsapp.session import Silent
from wigwag.adapters.whatsapp.threads import DaemonThreads
from wigwag.adapters.whatsapp.translate import address_of
from wigwag.domain.account import Stall
from wigwag.domain.errors import Conflict, NotLinked, Unavailable
from wigwag.domain.events import LinkReported, Unanswered
from wigwag.domain.ids import Jid

# isort: split
from neonize.aioze import events as ev

ANA = Jid("15550100001@s.whatsapp.net")


def test_the_installed_library_fits_so_nothing_is_fetched() -> None:
    check()
    assert library_path().is_file()


async def test_the_sessions_directory_is_made_private_even_if_it_was_not(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "session"
    path.mkdir(mode=0o755, parents=True)
    WhatsApp(path, lambda: 0.0)
    assert path.stat().st_mode & 0o777 == 0o700


async def test_a_sessions_directory_that_cannot_be_is_an_error_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="WHATSAPP_SESSION_PATH"):
        WhatsApp(tmp_path / "file" / "session", lambda: 0.0)


async def test_without_a_link_every_call_says_so(tmp_path: Path) -> None:
    room = WhatsApp(tmp_path, lambda: 0.0)
    calls = (
        room.appear("default", True),
        room.learn("default", [ANA]),
        room.subscribe("default", ANA),
        room.groups("default"),
        room.members("default", Jid("120363400902171371@g.us")),
        room.log_out("default"),
    )
    for call in calls:
        with pytest.raises(NotLinked):
            await call
    with pytest.raises(Conflict):
        await room.pair_by_code("default", "15550001111")
    await room.disconnect("default")
    await room.close()


async def test_what_nobody_understands_is_left_out_and_what_follows_is_heard(tmp_path: Path) -> None:
    room = WhatsApp(tmp_path, lambda: 0.0)
    strange = ev.GroupInfoEv(JID=address_of(Jid("not-a-group@g.us")), Join=[address_of(ANA)])
    for message in (strange, ev.ConnectedEv(status=True)):
        room.inbox.put(Heard("default", 2.0, message))
    assert [type(fact) for fact in await room.reports()] == [LinkReported]


async def test_what_was_not_answered_is_told_with_the_time_of_the_question(tmp_path: Path) -> None:
    room = WhatsApp(tmp_path, lambda: 0.0)
    room.inbox.put(Heard("default", 92.0, Silent(Stall.MESSAGES, 2.0)))
    [told] = await room.reports()
    assert told == Unanswered(account="default", what=Stall.MESSAGES, asked=2.0, at=92.0)


def test_a_simulator_whose_address_is_too_long_is_refused() -> None:
    with pytest.raises(Unavailable, match="too long"):
        simulator.attach("http://a-machine-with-quite-a-long-name.example:8377", b"k" * 32, "a certificate")


async def test_a_call_that_never_comes_back_does_not_hold_up_the_end() -> None:
    threads, never = DaemonThreads(), Event()
    future = threads.submit(never.wait)
    threads.shutdown()
    assert not future.done()
    assert await asyncio.wrap_future(threads.submit(max, 2, 3)) == 3
    with pytest.raises(ZeroDivisionError):
        await asyncio.wrap_future(threads.submit(divmod, 1, 0))
    never.set()
