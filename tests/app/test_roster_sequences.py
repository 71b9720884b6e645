# SPDX-License-Identifier: Apache-2.0
"""What went wrong once, or is too rare for chance: fixed sequences over `roster_world`, which checks on the way."""

from collections.abc import AsyncIterator

import pytest

from tests.app.roster_world import World
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.domain.users import Choice, Shown, UserId
from wigwag.testing import FakeClock

ANNA, BEN = 1, 2  # they know each other


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = FakeClock()
    roster = MemoryRoster(clock)

    async def lose() -> None:
        roster.lose()

    made = World(clock, roster, lose)
    await made.open()
    yield made
    await made.close()


def shown(world: World, watcher: UserId, user: UserId) -> Shown:
    """What the one screen of a watcher shows of a user."""
    [client] = world.clients(watcher)
    return client.screen[user].status


async def test_who_is_here_is_not_told_to_be_gone_after_a_roster_was_lost_twice(world: World) -> None:
    for number in range(3):
        await world.start(number)
    await world.stop(0)
    await world.enter(ANNA, 1)
    await world.cut(1, cut=True)
    await world.terminate(2)
    await world.lose()
    await world.start(2)
    await world.lose()
    await world.check_at_rest()


async def lose_while_anna_is_cut_off(world: World) -> None:
    """Anna's node does not hear that the roster is lost, and Ben enters at a new one."""
    await world.start(0)
    await world.enter(ANNA, 0)
    await world.wait(9.0)
    await world.cut(0, cut=True)
    await world.lose()
    await world.start(1)  # alone, so whoever is online in the store is settled as gone
    await world.enter(BEN, 1)


async def test_what_a_new_node_read_in_the_store_is_not_followed_by_something_older(world: World) -> None:
    await lose_while_anna_is_cut_off(world)
    await world.cut(0, cut=False)
    await world.wait(5.0)
    assert shown(world, BEN, ANNA) is Shown.ONLINE
    await world.check_at_rest()


async def test_nobody_in_doubt_is_told_before_the_store_answers(world: World) -> None:
    await lose_while_anna_is_cut_off(world)
    world.store.away = True
    await world.cut(0, cut=False)
    await world.wait(5.0)
    assert shown(world, BEN, ANNA) is Shown.OFFLINE
    world.store.away = False
    await world.wait(2.5)
    assert shown(world, BEN, ANNA) is Shown.ONLINE
    await world.check_at_rest()


async def test_who_left_is_not_shown_again_because_a_node_that_was_away_remembers_them(world: World) -> None:
    await world.start(0)
    await world.start(1)
    await world.enter(BEN, 1)
    await world.enter(ANNA, 1)
    await world.cut(0, cut=True)
    [anna] = world.clients(ANNA)
    await world.leave(anna, goodbye=True)
    await world.wait(30.0)
    await world.lose()
    await world.wait(5.0)
    assert shown(world, BEN, ANNA) is Shown.OFFLINE
    await world.cut(0, cut=False)
    for _ in range(20):
        await world.wait(0.5)
        assert shown(world, BEN, ANNA) is Shown.OFFLINE
    await world.check_at_rest()


@pytest.mark.parametrize("away", [False, True])
async def test_who_left_while_a_node_was_cut_off_is_told_there_when_it_copies_the_roster(
    world: World, away: bool
) -> None:
    await world.start(0)
    await world.start(1)
    await world.enter(BEN, 0)
    await world.enter(ANNA, 1)
    assert shown(world, BEN, ANNA) is Shown.ONLINE
    await world.cut(0, cut=True)
    [anna] = world.clients(ANNA)
    await world.leave(anna, goodbye=True)
    await world.wait(30.0)  # saved, and removed from the roster
    assert shown(world, BEN, ANNA) is Shown.ONLINE
    world.store.away = away  # then it is told without what the store has
    await world.cut(0, cut=False)
    await world.wait(5.0)
    assert shown(world, BEN, ANNA) is Shown.OFFLINE
    await world.check_at_rest()


async def test_the_database_may_be_away_while_the_roster_is_lost_and_some_nodes_are_stopped(world: World) -> None:
    for number in range(3):
        await world.start(number)
    await world.enter(ANNA, 0)
    await world.stop(0)
    await world.stop(1)
    world.store.away = True
    await world.enter(BEN, 2)
    await world.lose()
    await world.check_at_rest()


async def test_a_list_shows_nothing_older_than_what_was_told_while_the_roster_was_away(world: World) -> None:
    for number in range(3):
        await world.start(number)
    await world.enter(ANNA, 0)
    await world.cut(0, cut=True)
    await world.enter(BEN, 0)
    [anna] = world.clients(ANNA)
    await world.choose(anna, Choice.AWAY)
    await world.check_at_rest()


async def test_a_choice_made_while_a_node_is_not_yet_synced_may_win_over_a_later_one(world: World) -> None:
    for number in range(3):
        await world.start(number)
    await world.cut(0, cut=True)
    await world.enter(ANNA, 0)
    await world.cut(0, cut=False)
    await world.enter(ANNA, 2)
    here = {client.node: client for client in world.clients(ANNA)}
    await world.choose(here[world.places[0]], Choice.BUSY)
    await world.choose(here[world.places[2]], Choice.AWAY)
    await world.check_at_rest()
