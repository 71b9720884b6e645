# SPDX-License-Identifier: Apache-2.0
"""The demo inside a simulator: puts the people of `demo_world` there and lets them live by their script.

Those who get a message from an account react to it, and the simulator reads it for them.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from wigwag.cli.demo_words import EMOJI, sunset
from wigwag.cli.demo_world import CAST, CIRCLES, Act, Script, Turn
from wigwag.simulator import ACCOUNT_PHONE, Content, Simulator

MOMENT = 2.0  # seconds until somebody reacts
ANSWERED = {"text", "image", "video", "audio", "voice", "document", "sticker", "location", "contact", "poll"}


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
    stage = Stage(simulator)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_follow(stage, script), name="script")
        tasks.create_task(_react(simulator), name="reactions")


async def _follow(stage: "Stage", script: Script) -> None:
    clock = asyncio.get_running_loop()
    start = clock.time()
    while True:
        await asyncio.sleep(max(0.0, start + script.next_at - clock.time()))
        for turn in script.due(clock.time() - start):
            await stage.act(turn)


async def _react(simulator: Simulator) -> None:
    """Whoever is written to reacts a moment later."""
    seen = 0
    while True:
        await asyncio.sleep(MOMENT)
        news = [line for line in simulator.journal.inbox if line.seq > seen]
        for line in news:
            seen = line.seq
            if line.group is None and line.kind in ANSWERED and line.account in _accounts(simulator):
                said = Content(kind="reaction", text=EMOJI[0], fields={"target": line.id})
                await simulator.send(line.phone, said, account=line.account)


def _accounts(simulator: Simulator) -> list[str]:
    """Their numbers. There are none before a phone has scanned, or after it logged out."""
    return [person.phone for person in simulator.exchange.world.accounts()]


@dataclass
class Stage:
    """Where turns are played. `latest`: in each group the id of the latest message, and the number of its author."""

    simulator: Simulator
    latest: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def act(self, turn: Turn) -> None:
        match turn.act:
            case Act.COME | Act.GO:
                await self.simulator.set_presence(turn.phone, online=turn.act is Act.COME)
            case Act.TYPE:
                await self.simulator.type(turn.phone, "composing")
            case Act.PAUSE:
                await self.simulator.type(turn.phone, "paused")
            case Act.WRITE:
                await self._say(turn, Content(kind="text", text=turn.words))
            case Act.SHOW:
                await self._say(
                    turn, Content(kind="image", text=turn.words, fields={"mimetype": "image/png"}), sunset()
                )
            case Act.REACT if turn.group in self.latest:
                await self._react(turn)

    async def _say(self, turn: Turn, said: Content, file: bytes | None = None) -> None:
        if turn.group:
            message_id = await self.simulator.send(turn.phone, said, file=file, group=turn.group)
            self.latest[turn.group] = message_id, turn.phone
            return
        for account in _accounts(self.simulator):
            await self.simulator.send(turn.phone, said, file=file, account=account)

    async def _react(self, turn: Turn) -> None:
        target, author = self.latest[turn.group]
        about = {"target": target, "from_me": author == turn.phone}
        about["participant"] = str(self.simulator.exchange.world.person(author).jid)
        await self.simulator.send(turn.phone, Content(kind="reaction", text=turn.words, fields=about), group=turn.group)
