# SPDX-License-Identifier: Apache-2.0
"""Three gateways on one Redis, one of which dies. `bench/nodes.py` does it with a thousand people, and much else."""

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.fleet import fleet, pause

LATEST = 15.0  # seconds until those who do not return are offline everywhere
PEOPLE = 30


@pytest.mark.chaos
async def test_who_returns_to_another_node_never_flickers_and_who_does_not_is_offline_everywhere(
    tmp_path: Path,
) -> None:
    async with fleet(tmp_path, PEOPLE) as here:
        people = list(here.people)
        stay, move, leave = people[:10], people[10:20], people[20:]
        await here.place(stay, 1)
        await here.place([*move, *leave], 0)
        await here.until_right(set(people), [0, 1, 2])
        killed = here.kill(0)
        await pause(1.0)
        await here.place(move, 2)
        await here.until_right({*stay, *move}, [1, 2])
        assert not here.flickered([*stay, *move], killed, [1, 2])
        for user in leave:
            assert len(here.away(user, killed, [1, 2])) == 2
            seen = here.watchers[1].screen[user].last_seen
            assert seen is not None
            assert abs(seen - killed) <= 6.0
        assert not here.fallen()
        assert [await here.active(node) for node in (1, 2)] == [20 + 2] * 2
        await asyncio.gather(*(here.people[user].go() for user in stay))
        await here.until_right(set(move), [1, 2])
