# SPDX-License-Identifier: Apache-2.0
"""`messages` and `templates`: what people read of what was sent and said."""

import json
import time
from typing import Any

import pytest

from tests.cli.conftest import Command, Front, House
from tests.desk import ANNA, job
from wigwag.cli import jobs, messages
from wigwag.cli.client import Client
from wigwag.domain.contents import Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import State
from wigwag.domain.drafts import Draft
from wigwag.domain.messages import Message, MessageKind

NUMBER = "919876543210"


def sent(front: Front) -> Draft:
    (draft,) = front.desk.drafts
    return draft


def test_messages_are_listed_with_their_ids(front: Front, wigwag: Command) -> None:
    now = time.time()
    front.desk.lay(
        job(1, content=Poll(question="When?", options=("a", "b")), since=now - 4000, state=State.UNCONFIRMED),
        job(2, content=Text(text="two\nlines \x1b[31mred"), since=now - 130, state=State.FAILED),
    )
    result = wigwag("messages", WIGWAG_URL=front.url)
    counts, heads, *rows = result.stdout.splitlines()
    assert counts == "6 messages: 5 sent, 1 failed."
    assert heads.split() == ["Since", "State", "To", "ID", "What"]
    assert rows == [
        "2 min ago  ✗ failed       919876543210  job2  two lines �[31mred",
        "1 h ago    ? unconfirmed  919876543210  job1  [poll] When?",
    ]


def test_a_list_goes_on_where_it_ended(front: Front, wigwag: Command) -> None:
    front.desk.lay(*(job(number) for number in range(1, 6)))
    first = wigwag("messages", "--limit", "3", WIGWAG_URL=front.url)
    assert first.stderr == "There are older ones: --before 3\n"
    rest = wigwag("messages", "--limit", "3", "--before", "3", WIGWAG_URL=front.url)
    assert (rest.stderr, [row.split()[-2] for row in rest.stdout.splitlines()[2:]]) == ("", ["job2", "job1"])
    page = json.loads(wigwag("messages", "--json", "--limit", "3", WIGWAG_URL=front.url).stdout)
    assert [each["id"] for each in page["messages"]] == ["job5", "job4", "job3"]


def test_states_are_told_apart_without_colour() -> None:
    assert jobs.LOOKS.keys() == set(State)
    assert {jobs.state(state).plain.split()[1] for state in State} == set(State)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Text(text="Hi"), "Hi"),
        (Media(kind=Kind.IMAGE, media="abc", caption="Our\ncat"), "[image] Our cat"),
        (Media(kind=Kind.DOCUMENT, media="abc", filename="a.pdf"), "[document] a.pdf"),
        (Media(kind=Kind.VIDEO, url="https://example.org/x"), "[video] https://example.org/x"),
        (Location(latitude=1, longitude=2), "[location]"),
        (Reaction(message_id="3EB0", emoji="👍"), "[reaction] 👍"),
    ],
)
def test_a_message_is_told_in_a_line(content: Content, words: str, front: Front) -> None:
    front.desk.lay(job(content=content))
    with Client(front.url) as gateway:
        assert jobs.words(gateway.get("messages", "job1")) == words


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("two\nlines\r\nthree\tx", "two\nlines\nthree\tx"),
        ("\x1b]0;title\x07\x9b1m", "�]0;title��1m"),
        ("abc\u202etxt.exe", "abc�txt.exe"),
        ("👨‍👩‍👧 שלום", "👨‍👩‍👧 שלום"),
    ],
)
def test_what_others_wrote_does_not_move_the_terminal(text: str, seen: str) -> None:
    assert jobs.visible(text) == seen


def test_a_chat_reads_downwards(front: Front, wigwag: Command) -> None:
    at = time.time()
    common: dict[str, Any] = {"account": "default", "chat": ANNA, "sender": ANNA, "kind": MessageKind.TEXT}
    front.desk.said = [
        Message(**common, id="A3", at=at, from_me=False, text="good\x1b[2J", name="Anna"),
        Message(**common, id="A2", at=at - 60, from_me=True, text="I am\nfine"),
        Message(**common, id="A1", at=at - 120, from_me=False, text="How are you?"),
    ]
    rows = wigwag("messages", "chat", NUMBER, WIGWAG_URL=front.url).stdout.splitlines()[1:]
    assert [row.split(maxsplit=3)[1:] for row in rows] == [
        [NUMBER, "A1", "How are you?"],
        ["we", "A2", "I am fine"],
        ["Anna", "A3", "good�[2J"],
    ]


def test_a_chat_goes_on_where_its_page_ended(front: Front, wigwag: Command) -> None:
    """Also in the middle of what was said at one instant."""
    plain: dict[str, Any] = {"account": "default", "chat": ANNA, "sender": ANNA, "from_me": False, "at": 1e9 + 1 / 3}
    front.desk.said = [Message(**plain, id=name, kind=MessageKind.TEXT, text=name) for name in ("C", "B", "A")]
    more: list[str] = []
    seen = []
    for _ in range(3):
        told = wigwag("messages", "chat", NUMBER, "--limit", "1", *more, WIGWAG_URL=front.url)
        seen.append(told.stdout.split()[-1])
        more = told.stderr.split()[-2:]
    assert (seen, more) == (["C", "B", "A"], [])


@pytest.mark.parametrize(
    ("has", "what"),
    [
        ({"type": "text"}, "Hi"),
        ({"type": "text", "edited_at": "x"}, "Hi (edited)"),
        ({"type": "text", "deleted_at": "x"}, "(deleted)"),
        ({"type": "image"}, "[image] Hi"),
        ({"type": "reaction", "target": "A1"}, "Hi on A1"),
        ({"type": "edit", "target": "A1"}, "changes A1: Hi"),
        ({"type": "deletion", "target": "A1"}, "deletes A1"),
        ({"type": "vote", "target": "A1"}, "votes in A1"),
    ],
)
def test_what_happens_in_a_chat_is_told(has: dict[str, Any], what: str) -> None:
    assert messages.told_what({"target": None, "deleted_at": None, "edited_at": None, **has}, "Hi") == what


def test_the_life_of_a_template(paired: House, wigwag: Command) -> None:
    def run(*line: str) -> str:
        result = wigwag("templates", *line, WIGWAG_URL=paired.url)
        assert result.exit_code == 0
        return result.stdout

    assert "no templates yet" in run()
    assert "wigwag send NUMBER --template welcome" in run("set", "welcome", "Hello ${name}!")
    assert run() == "Name     Text\nwelcome  Hello ${name}!\n"
    assert (run("show", "welcome"), json.loads(run("--json"))[0]["name"]) == ("Hello ${name}!\n", "welcome")
    done = wigwag("send", NUMBER, "--template", "welcome", "--value", "name=Bert", "--json", WIGWAG_URL=paired.url)
    assert json.loads(done.stdout)["content"] == {"text": "Hello Bert!"}
    assert run("remove", "welcome") == "welcome is removed.\n"
