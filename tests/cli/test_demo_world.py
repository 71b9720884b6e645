# SPDX-License-Identifier: Apache-2.0
"""The people of the demo are invented, various, and never all silent; they behave as people can."""

import random
from collections import Counter
from itertools import pairwise, takewhile

from hypothesis import given
from hypothesis import strategies as st

from wigwag.cli.demo_words import LINES, sunset
from wigwag.cli.demo_world import CAST, CIRCLES, DAY, Act, Script, Turn
from wigwag.domain.contents import Kind
from wigwag.domain.media import judge


def _turns(seed: int, until: float) -> list[Turn]:
    script = Script(random.Random(seed))
    return list(takewhile(lambda turn: turn.at <= until, script.due(until)))


def test_there_are_forty_people_with_numbers_that_belong_to_nobody() -> None:
    assert len({person.phone for person in CAST}) == len({person.name for person in CAST}) == 40
    assert all(len(person.phone) == 11 and person.phone.startswith("1555010") for person in CAST)


def test_all_kinds_of_people_are_among_them() -> None:
    assert {person.priority for person in CAST} == {1, 2, 3}
    for trait in ("hides_last_seen", "by_lid", "types"):
        assert {getattr(person, trait) for person in CAST} == {True, False}


def test_the_groups_are_made_of_them_and_overlap() -> None:
    one, other = (set(circle.members) for circle in CIRCLES)
    assert one | other <= {person.phone for person in CAST}
    assert one & other


@given(st.integers(0, 1000))
def test_everybody_comes_and_goes_in_turn_and_types_only_while_there(seed: int) -> None:
    online: set[str] = set()
    typing: set[str] = set()
    for _at, phone, act, *_said in _turns(seed, 300):
        match act:
            case Act.COME:
                assert phone not in online
                online.add(phone)
            case Act.GO:
                assert phone in online
                assert phone not in typing
                online.remove(phone)
            case Act.TYPE:
                assert phone in online
                typing.add(phone)
            case Act.PAUSE:
                typing.remove(phone)
            case _:
                assert phone in online - typing


@given(st.integers(0, 100))
def test_somebody_comes_or_goes_about_every_second_at_any_hour(seed: int) -> None:
    changes = [turn.at for turn in _turns(seed, DAY) if turn.act in (Act.COME, Act.GO)]
    assert 0.8 <= len(changes) / DAY <= 2.0
    assert max(later - earlier for earlier, later in pairwise(changes)) < 20


@given(st.integers(0, 100))
def test_some_write_now_and_then_in_many_tongues_and_others_react(seed: int) -> None:
    spoken = [turn for turn in _turns(seed, DAY) if turn.words]
    assert 6 <= DAY / len(spoken) <= 20  # seconds from one to the next
    assert {turn.act for turn in spoken} == {Act.WRITE, Act.SHOW, Act.REACT}
    assert {turn.group for turn in spoken} == {"", *(circle.id for circle in CIRCLES)}
    names = {person.phone: person.name for person in CAST}
    assert all(turn.words in LINES[names[turn.phone]] for turn in spoken if turn.act is Act.WRITE)
    assert len({turn.phone for turn in spoken}) > len(LINES) / 2


def test_who_speaks_is_among_them() -> None:
    assert {person.name for person in CAST} >= LINES.keys()


def test_nobody_speaks_or_reacts_in_a_group_of_others() -> None:
    members = {circle.id: circle.members for circle in CIRCLES}
    assert all(turn.phone in members[turn.group] for turn in _turns(7, DAY) if turn.group)
    assert all(turn.group for turn in _turns(7, DAY) if turn.act is Act.REACT)


def test_the_picture_is_one_that_is_shown_as_an_image() -> None:
    assert judge(Kind.IMAGE, sunset(), "") == "image/png"


def test_everybody_has_a_part_in_a_day() -> None:
    assert len(Counter(turn.phone for turn in _turns(7, DAY))) == len(CAST)
