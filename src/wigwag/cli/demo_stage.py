# SPDX-License-Identifier: Apache-2.0
"""The demo inside a simulator: puts the people of `demo_world` there and lets them live by their script."""

import asyncio
from datetime import UTC, datetime, timedelta

from wigwag.cli.demo_world import CAST, CIRCLES, Act, Script, Turn
from wigwag.simulator import ACCOUNT_PHONE, Simulator


async def set_the_stage(simulator: Simulator) -> None:
    """People, groups, and a last seen for everybody, from minutes to days ago."""
    now = datetime.now(UTC)
    simulator.put_contact(ACCOUNT_PHONE, name="The demo")
    for number, person in enumerate(CAST):
        simulator.put_contact(
            person.phone, name=person.name, last_seen_visible=not person.hides_last_seen, addressed_by_lid=person.by_lid
        )
        seen = now - timedelta(minutes=1.3 ** (number * 11 % 37))
        await simulator.set_presence(person.phone, online=False, last_seen=seen)
    for circle in CIRCLES:
        await simulator.put_group(
            circle.id, subject=circle.subject, participants=[ACCOUNT_PHONE, *circle.members], admins=[ACCOUNT_PHONE]
        )


async def perform(simulator: Simulator, script: Script) -> None:
    """Let it happen as it is written, for ever."""
    clock = asyncio.get_running_loop()
    start = clock.time()
    while True:
        await asyncio.sleep(max(0.0, start + script.next_at - clock.time()))
        for turn in script.due(clock.time() - start):
            await _act(simulator, turn)


async def _act(simulator: Simulator, turn: Turn) -> None:
    match turn.act:
        case Act.COME | Act.GO:
            await simulator.set_presence(turn.phone, online=turn.act is Act.COME)
        case Act.TYPE:
            await simulator.type(turn.phone, "composing")
        case Act.PAUSE:
            await simulator.type(turn.phone, "paused")
