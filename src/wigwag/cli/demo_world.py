# SPDX-License-Identifier: Apache-2.0
"""The people of the demo and what they do: data, and a script that chance writes. No clock and no network here.

What they say is in `demo_words`. They live in all time zones and a day of theirs takes twenty minutes, so at any moment
most are awake and some sleep. The numbers are from +1 555 010, which belongs to nobody.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from heapq import heappop, heappush
from typing import NamedTuple

from wigwag.cli.demo_words import CAPTION, EMOJI, LINES

NAMES = (
    "Amara Okafor", "Mateo Quispe", "Sakura Yamada", "Zoë van Dijk", "Лев Орлов", "Priya Raghavan",
    "Tāne Parata", "Freya Lindqvist", "Yusuf Demir", "Ana Beatriz Rocha", "Kwame Mensah", "Nguyễn Minh Anh",
    "Siobhán Kelly", "Luca Bellandi", "Ελένη Παππά", "Tenzin Dorje", "Aylin Kaya", "Jonas Hofer", "林 美玲",
    "Salma Haddad", "Ivo Novák", "Makena Wanjiru", "Björn Árnason", "Rosa Huanca", "Dewi Lestari",
    "Olamide Balogun", "Katarzyna Wrona", "Farid Rahimi", "Inés Carrasco", "Noor al-Amin", "Sione Tupou",
    "Maëlle Fournier", "김 하준", "Thandiwe Dlamini", "Bat-Erdene Ganbold", "Leilani Kahale", "Oisín Byrne",
    "Chidi Eze", "Marisol Vega", "Aroha Ngata",
)  # fmt: skip

DAY, AWAKE = 20 * 60.0, 16 / 24
"""Seconds that a day takes, and the part of it that people are awake."""
ONLINE, AWAY = 9.0, 36.0
"""Mean seconds online and away, while awake."""
TALKATIVE = 0.4
"""How often somebody who has something to say says it while online."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """One of the people. `zone`: how far ahead of the others their day is, as a part of it. `priority`: 1 to 3."""

    phone: str
    name: str
    priority: int
    zone: float
    hides_last_seen: bool
    by_lid: bool
    types: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A group of them, by phone number."""

    id: str
    subject: str
    members: tuple[str, ...]


CAST = tuple(
    Character(
        phone=f"1555010{1009 + 203 * number}",
        name=name,
        priority=1 + min(number // 8, 2),
        zone=number * 7 % 40 / 40,
        hides_last_seen=number % 6 == 4,
        by_lid=number % 5 == 2,
        types=number % 3 != 1,
    )
    for number, name in enumerate(NAMES)
)
CIRCLES = (
    Circle(id="120363400000000001", subject="Lantern Festival", members=tuple(person.phone for person in CAST[20:33])),
    Circle(id="120363400000000002", subject="Night Shift", members=tuple(person.phone for person in CAST[30:40])),
)


class Act(StrEnum):
    """What somebody can do on this stage."""

    COME = "come"
    GO = "go"
    TYPE = "type"
    PAUSE = "pause"
    WRITE = "write"
    SHOW = "show"
    REACT = "react"


class Turn(NamedTuple):
    """Somebody does something at an instant, in seconds since the beginning.

    `words`: a text, a caption or an emoji. `group`: the id of the one it is said in; else it is said to the accounts.
    """

    at: float
    phone: str
    act: Act
    words: str = ""
    group: str = ""


class Script:
    """Who does what, when, without an end."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._people = {person.phone: person for person in CAST}
        self._turns: list[Turn] = []
        for person in CAST:
            self._plan(0.0, person.phone, Act.COME, chance.uniform(0, AWAY))

    @property
    def next_at(self) -> float:
        """When somebody does something again."""
        return self._turns[0].at

    def due(self, now: float) -> Iterator[Turn]:
        """What happens until now, in order."""
        while self.next_at <= now:
            turn = heappop(self._turns)
            self._follow(turn)
            yield turn

    def _follow(self, turn: Turn) -> None:
        """What somebody does brings about what they do next."""
        at, phone, act = turn[:3]
        if act is Act.GO:
            self._plan(at, phone, Act.COME, max(4.0, self._chance.expovariate(1 / AWAY)))
        elif act is Act.COME:
            stay = max(4.0, self._chance.expovariate(1 / ONLINE))
            self._plan(at, phone, Act.GO, stay)
            if self._people[phone].types and self._chance.random() < 0.5:
                self._plan(at, phone, Act.TYPE, stay * 0.2)
                self._plan(at, phone, Act.PAUSE, stay * 0.8)
            if self._people[phone].name in LINES and self._chance.random() < TALKATIVE:
                heappush(self._turns, self._speech(at + stay * 0.9, self._people[phone]))

    def _speech(self, at: float, person: Character) -> Turn:
        """Something to say: mostly a line, to the accounts or in one's group."""
        groups = [circle.id for circle in CIRCLES if person.phone in circle.members]
        group = self._chance.choice([*groups, ""])
        [act] = self._chance.choices((Act.WRITE, Act.SHOW, Act.REACT), (6, 1, 2 if group else 0))
        words = {Act.WRITE: LINES[person.name], Act.SHOW: (CAPTION,), Act.REACT: EMOJI}[act]
        return Turn(at, person.phone, act, self._chance.choice(words), group)

    def _plan(self, at: float, phone: str, act: Act, later: float) -> None:
        at += later
        if act is Act.COME:
            at += self._sleep(at, self._people[phone])
        heappush(self._turns, Turn(at, phone, act))

    def _sleep(self, at: float, person: Character) -> float:
        """Seconds that somebody still sleeps."""
        hour = (at / DAY + person.zone) % 1.0
        return (1.0 - hour) * DAY if hour >= AWAKE else 0.0
