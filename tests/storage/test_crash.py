# SPDX-License-Identifier: Apache-2.0
"""A gateway that is killed while it writes: what was acknowledged is there, and no batch is there in part."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from wigwag.adapters.storage import open_stores
from wigwag.domain.history import Kind
from wigwag.domain.ids import Jid

CONTACTS, SAFETY = 1500, 60.0
WRITER = """
import asyncio, itertools, sys
from wigwag.adapters.storage import open_stores
from wigwag.domain.history import Batch, Interval, Kind
from wigwag.domain.presence import Presence

async def write_for_ever():
    stores = await open_stores(sys.argv[1])
    jids = [f"{15_550_000_000 + number}@s.whatsapp.net" for number in range(int(sys.argv[2]))]
    for turn in itertools.count(1):
        contacts = [Presence(jid=jid, name="", account="default", since=float(turn)) for jid in jids]
        stretches = [Interval(jid=jid, kind=Kind.ONLINE, start=float(turn)) for jid in jids]
        await stores.presence.save(Batch(presences=contacts, intervals=stretches, alive_at=float(turn)))
        print(turn, flush=True)

asyncio.run(write_for_ever())
"""


@pytest.mark.parametrize("acknowledged", [1, 4])
async def test_a_kill_in_the_middle_of_writing_loses_nothing_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    address = f"sqlite:///{tmp_path}/wigwag.db"
    writer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, address, str(CONTACTS)), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout
    async with asyncio.timeout(SAFETY):
        for _ in range(acknowledged):
            last = int(await writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        last = max([last, *map(int, (await writer.stdout.read()).split())])
        await writer.wait()
    stores = await open_stores(address, patience=SAFETY)
    presences, alive_at = await stores.presence.load()
    assert alive_at in (last, last + 1)  # one more may have been written before it could be told
    assert {found.since for found in presences} == {alive_at}
    assert len(presences) == CONTACTS
    past = await stores.presence.history(Jid("15550000000@s.whatsapp.net"), 0.0, 1e9)
    assert [(found.kind, found.start, found.end) for found in past] == [
        (Kind.ONLINE, turn, alive_at) for turn in range(1, int(alive_at) + 1)
    ]
    await stores.close()
