# SPDX-License-Identifier: Apache-2.0
"""`send`, `messages` and `templates`: what is asked of the gateway, what people read, and how it ends."""

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tests.cli.conftest import Command, Front, House, in_turn
from tests.desk import ANNA, job
from wigwag.cli import app, jobs, messages
from wigwag.cli import follow as following
from wigwag.cli.client import Client
from wigwag.cli.follow import Goal, arrived, follow, line, looks, picture
from wigwag.cli.moments import told, when
from wigwag.cli.outcome import Failure
from wigwag.cli.send import Type
from wigwag.domain.account import LinkState
from wigwag.domain.contents import MEDIA, Content, Kind, Location, Media, Poll, Reaction, Text
from wigwag.domain.delivery import State
from wigwag.domain.drafts import Draft, Template
from wigwag.domain.errors import Unconfirmed
from wigwag.domain.messages import Message, MessageKind
from wigwag.testing import Point, failing

NUMBER = "919876543210"
FILES = {
    "image": b"\xff\xd8\xff\xe0", "video": b"\0\0\0\x18ftypisom", "voice": b"OggS" + bytes(24) + b"OpusHead",
    "audio": b"ID3\4", "document": b"just words",
}  # fmt: skip


def sent(front: Front) -> Draft:
    (draft,) = front.desk.drafts
    return draft


# --- what is asked


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        (["Hi there"], {}),
        (["Hi there", "--account", "default"], {"account": "default"}),
        (["Hi there", "--key", "k"], {"key": "k"}),
        (["Hi there", "--reply-to", "3EB0"], {"reply_to": "3EB0"}),
        (["--template", "welcome"], {"content": Template(name="welcome")}),
        (
            ["--template", "welcome", "--value", "a=1", "--value", "b=c=d"],
            {"content": Template(name="welcome", values={"a": "1", "b": "c=d"})},
        ),
    ],
)
def test_each_option_reaches_the_gateway(line: list[str], meant: dict[str, Any], front: Front, wigwag: Command) -> None:
    assert wigwag("send", NUMBER, *line, WIGWAG_URL=front.url).exit_code == 0
    expected: dict[str, Any] = {"to": NUMBER, "content": Text(text="Hi there"), **meant}
    assert sent(front) == Draft(**expected)


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_sent_as_what_it_is(kind: str, front: Front, wigwag: Command, tmp_path: Path) -> None:
    file = tmp_path / "file.bin"
    file.write_bytes(FILES[kind])
    assert wigwag("send", NUMBER, "--file", str(file), WIGWAG_URL=front.url).exit_code == 0
    assert sent(front).content == Media(kind=Kind(kind), media="file1", filename="file.bin")
    assert front.desk.files == [FILES[kind]]


def test_a_file_is_sent_as_what_one_wants_if_it_can_be(front: Front, wigwag: Command, tmp_path: Path) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(FILES["image"])
    said = wigwag("send", NUMBER, "--file", str(file), "--type", "document", "--caption", "c", WIGWAG_URL=front.url)
    assert said.exit_code == 0
    assert sent(front).content == Media(kind=Kind.DOCUMENT, media="file1", filename="cat.jpg", caption="c")
    refused = wigwag("send", NUMBER, "--file", str(file), "--type", "voice", WIGWAG_URL=front.url)
    assert (refused.exit_code, "A voice note cannot be image/jpeg" in refused.stderr) == (2, True)


def test_an_empty_file_is_refused_before_anything_is_sent(front: Front, wigwag: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    refused = wigwag("send", NUMBER, "--file", str(tmp_path / "empty"), WIGWAG_URL=front.url)
    assert (refused.exit_code, refused.stderr, front.desk.files) == (2, "wigwag: The file is empty.\n", [])


def test_every_kind_of_media_can_be_named() -> None:
    assert set(Type.__args__) == MEDIA  # type: ignore[attr-defined]  # of a Literal


# --- when

NOW = datetime(2026, 11, 20, 15, 0).timestamp()  # noqa: DTZ001  this machine's


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("+90s", timedelta(seconds=90)),
        ("+15m", timedelta(minutes=15)),
        ("+15 min", timedelta(minutes=15)),
        ("+2h", timedelta(hours=2)),
        (" +3d", timedelta(days=3)),
        ("15:01", timedelta(minutes=1)),
        ("15:00", timedelta(days=1)),
        ("8:30", timedelta(hours=17, minutes=30)),
        ("2026-11-20T16:00", timedelta(hours=1)),
        ("2026-11-20 16:00:05", timedelta(hours=1, seconds=5)),
    ],
)
def test_times_to_come_are_written_in_many_ways(text: str, meant: timedelta) -> None:
    assert when(text, NOW) == NOW + meant.total_seconds()


def test_a_zone_counts() -> None:
    assert when("2027-01-15T13:30:00+05:30", 0.0) == when("2027-01-15T08:00:00Z", 0.0) == 1_800_000_000.0


@pytest.mark.parametrize("text", ["", "soon", "25:00", "+2", "+2w", "-2h", "2026-13-01", "2026-11-20T14:59", "99999"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        when(text, NOW)


def test_times_are_told_short() -> None:
    assert (told(NOW + 5, NOW), told(NOW + 86400, NOW)) == ("15:00:05", "2026-11-21 15:00")


# --- what is told


def test_send_tells_the_id_and_what_to_do_with_it(front: Front, wigwag: Command) -> None:
    result = wigwag("send", NUMBER, "Hi", WIGWAG_URL=front.url)
    assert (result.exit_code, result.stdout) == (0, "○ accepted  job1\n")
    assert result.stderr == "How far it is: wigwag messages show job1\n"
    told_all = json.loads(wigwag("send", NUMBER, "Hi", "--json", WIGWAG_URL=front.url).stdout)
    assert (told_all["id"], told_all["state"]) == ("job2", "accepted")


def test_send_says_when_nothing_will_go_out(front: Front, wigwag: Command) -> None:
    front.gateway.link = LinkState.PAIRING
    result = wigwag("send", NUMBER, "Hi", WIGWAG_URL=front.url)
    assert (result.exit_code, result.stdout) == (0, "○ accepted  job1\n")
    assert result.stderr.startswith("default is pairing, so it waits. ")


def test_a_message_for_later_says_when_and_is_cancelled(paired: House, wigwag: Command) -> None:
    result = wigwag("send", NUMBER, "Hi", "--at", "+3d", WIGWAG_URL=paired.url)
    sign, state, name, _for, day, hour = result.stdout.split()
    due = datetime.fromisoformat(f"{day} {hour}").timestamp()
    assert (sign, state, abs(due - time.time() - 3 * 86400) < 120) == ("○", "accepted", True)
    assert result.stderr == f"To take it back: wigwag messages cancel {name}\n"
    listed = wigwag("messages", "--scheduled", "--to", NUMBER, WIGWAG_URL=paired.url).stdout
    assert name in listed
    assert wigwag("messages", "cancel", name, WIGWAG_URL=paired.url).stdout == f"{name} is cancelled.\n"
    again = wigwag("messages", "cancel", name, WIGWAG_URL=paired.url)
    assert (again.exit_code, again.stdout) == (4, "")


def test_text_comes_from_standard_input(front: Front) -> None:
    run = CliRunner().invoke
    assert run(app, ["send", NUMBER, "-", "--url", front.url], input="two\nlines\n").exit_code == 0
    assert sent(front).content == Text(text="two\nlines")
    odd = run(app, ["send", NUMBER, "-", "--url", front.url], input=b"\xff\xfe")
    assert (odd.exit_code, "UTF-8" in odd.stderr) == (2, True)


@pytest.mark.parametrize(("to", "code"), [("nobody", 2), ("x@g.us", 2)])
def test_no_number_is_wrong_usage(to: str, code: int, paired: House, wigwag: Command) -> None:
    result = wigwag("send", to, "Hi", WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout) == (code, "")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["send", NUMBER, ""], "The text is empty."),
        (["send", NUMBER, "Hi", "--account", "sales"], "There is no account of this name."),
        (["send", NUMBER, "--template", "none"], "There is no such template."),
        (["messages", "show", "none"], "There is no such message."),
        (["messages", "retry", "none"], "There is no such message."),
        (["templates", "show", "none"], "There is no template of this name."),
        (["templates", "remove", "none"], "There is no template of this name."),
        (["templates", "set", "x", "$"], "Placeholders are written"),
    ],
    ids=str,
)
def test_a_refusal_ends_with_4_and_says_why(line: list[str], words: str, paired: House, wigwag: Command) -> None:
    result = wigwag(*line, WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout, words in result.stderr) == (4, "", True)


# --- followed to the end


def stages(front: Front, *changes: dict[str, Any]) -> Callable[[], None]:
    """A pause in which each time the next of these things happens to job1."""

    def act(change: dict[str, Any]) -> Callable[[], None]:
        return lambda: front.desk.lay(replace(front.desk.laid["job1"], **change))

    return in_turn(*map(act, changes))


BEGAN = datetime(2026, 11, 20, 15, 0).timestamp()  # noqa: DTZ001  this machine's
SENT: dict[str, Any] = {"state": State.SENT, "sent_at": BEGAN + 1}
DELIVERED: dict[str, Any] = {"state": State.DELIVERED, "delivered_at": BEGAN + 2}
READ: dict[str, Any] = {"state": State.READ, "read_at": BEGAN + 3}
PLAYED: dict[str, Any] = {"state": State.PLAYED, "played_at": BEGAN + 4}


@pytest.mark.parametrize(
    ("content", "changes", "steps"),
    [
        (Text(text="Hi"), [SENT, DELIVERED, READ], ["accepted", "sent", "delivered", "read"]),
        (Text(text="Hi"), [SENT, SENT, SENT | DELIVERED | READ], ["accepted", "sent", "delivered", "read"]),
        (Text(text="Hi"), [SENT | READ], ["accepted", "sent", "read"]),
        (
            Media(kind=Kind.VOICE, media="x"),
            [SENT, DELIVERED, READ, PLAYED],
            ["accepted", "sent", "delivered", "read", "played"],
        ),
        (Text(text="Hi"), [{"state": State.SENDING}, {"state": State.FAILED}], ["accepted", "failed"]),
        (Text(text="Hi"), [{"state": State.UNCONFIRMED}], ["accepted", "unconfirmed"]),
        (Text(text="Hi"), [{"state": State.CANCELLED}], ["accepted", "cancelled"]),
    ],
)
def test_in_a_pipe_each_step_is_a_line(
    content: Content, changes: list[dict[str, Any]], steps: list[str], front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    front.desk.lay(job(content=content, created=BEGAN, since=BEGAN, due=BEGAN))
    with Client(front.url) as gateway:
        end = follow(looks(gateway, "job1", stages(front, *changes)))
    lines = capsys.readouterr().out.splitlines()
    assert [each.split()[-1] for each in lines] == steps
    assert end["state"] == steps[-1]


@pytest.mark.parametrize(
    ("until", "kind", "changes", "steps"),
    [
        ("sent", Kind.IMAGE, [SENT], ["accepted", "sent"]),
        ("sent", Kind.IMAGE, [{"state": State.FAILED}], ["accepted", "failed"]),
        ("delivered", Kind.IMAGE, [SENT, DELIVERED], ["accepted", "sent", "delivered"]),
        ("delivered", Kind.VOICE, [SENT, READ], ["accepted", "sent", "read"]),
        ("delivered", Kind.VOICE, [SENT, PLAYED], ["accepted", "sent", "played"]),
        ("read", Kind.IMAGE, [SENT, DELIVERED, READ], ["accepted", "sent", "delivered", "read"]),
        ("read", Kind.VOICE, [SENT, READ, PLAYED], ["accepted", "sent", "read", "played"]),
    ],
)
def test_one_waits_until_the_step_that_one_likes(
    until: Goal, kind: Kind, changes: list[Any], steps: list[str], front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    """A later one will do, for phones tell in any order and leave out what follows."""
    front.desk.lay(job(content=Media(kind=kind, media="x"), created=BEGAN, since=BEGAN, due=BEGAN))
    with Client(front.url) as gateway:
        follow(looks(gateway, "job1", stages(front, *changes), until=until))
    assert [each.split()[-1] for each in capsys.readouterr().out.splitlines()] == steps


def test_what_is_not_waited_for_is_not_shown_as_to_come(front: Front) -> None:
    front.desk.lay(job(created=BEGAN, since=BEGAN, due=BEGAN))
    with Client(front.url) as gateway:
        seen = next(looks(gateway, "job1", until="sent"))
    assert line(seen, BEGAN).plain == "✓ accepted 15:00:00   · sent"


def test_until_waits_without_being_told_to(paired: House, wigwag: Command) -> None:
    result = wigwag("send", NUMBER, "Hi", "--until", "sent", WIGWAG_URL=paired.url)
    assert (result.exit_code, [each.split()[-1] for each in result.stdout.splitlines()]) == (0, ["accepted", "sent"])


def test_as_json_each_step_is_an_object(front: Front, capsys: pytest.CaptureFixture[str]) -> None:
    front.desk.lay(job())
    with Client(front.url) as gateway:
        follow(looks(gateway, "job1", stages(front, {}, SENT, SENT, READ)), as_json=True)
    seen = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert [each["state"] for each in seen] == ["accepted", "sent", "read"]
    assert seen[0].keys() == FRESH_KEYS


FRESH_KEYS = {
    "id", "state", "since", "account", "to", "type", "content", "priority", "created_at", "send_at", "attempts",
    "retry_at", "message_id", "code", "detail", "sent_at", "delivered_at", "read_at", "played_at", "reply_to",
    "mentions", "user_id", "idempotency_key", "door", "receipts",
}  # fmt: skip


@pytest.mark.parametrize(
    ("has", "lines"),
    [
        ({}, ["✓ accepted 15:00:00   · sent   · delivered   · read", "It waits for its turn."]),
        (
            {"attempts": 1, "due": BEGAN + 9, "detail": "No word."},
            ["✓ accepted 15:00:00   · sent   · delivered   · read", "No word. It is tried again at 15:00:09."],
        ),
        (
            {"due": BEGAN + 86400},
            ["✓ accepted 15:00:00   · sent   · delivered   · read", "It is scheduled for 2026-11-21 15:00."],
        ),
        (SENT, ["✓ accepted 15:00:00   ✓ sent 15:00:01   · delivered   · read", "WhatsApp has it;"]),
        (SENT | READ, ["✓ accepted 15:00:00   ✓ sent 15:00:01   ✓ read 15:00:03   · delivered"]),
        ({"state": State.FAILED}, ["✓ accepted 15:00:00   ✗ failed 15:00:00"]),
        ({"state": State.UNCONFIRMED}, ["✓ accepted 15:00:00   ? unconfirmed 15:00:00"]),
    ],
    ids=str,
)
def test_the_steps_stand_in_a_line(has: dict[str, Any], lines: list[str], front: Front) -> None:
    front.desk.lay(job(created=BEGAN, since=BEGAN, **{"due": BEGAN} | has))
    with Client(front.url) as gateway:
        seen = next(looks(gateway, "job1"))
    shown = picture(seen, BEGAN).plain.splitlines()
    assert shown[0] == lines[0] == line(seen, BEGAN).plain
    assert all(words in text for words, text in zip(lines, shown, strict=False))
    assert ("Ctrl-C" in shown[-1]) is not arrived(seen)


def test_in_a_terminal_the_line_grows_in_its_place(front: Front) -> None:
    front.desk.lay(job(created=BEGAN, since=BEGAN, due=BEGAN))
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    with Client(front.url) as gateway:
        following.draw(looks(gateway, "job1", stages(front, SENT, READ)), terminal)
    drawn = terminal.file.getvalue()  # type: ignore[attr-defined]
    assert drawn.count("Ctrl-C stops looking") == 2
    assert drawn.splitlines()[-2].count("✓") == 3
    assert "\x1b[1A" in drawn  # up again, over what was there


def test_why_nothing_moves_is_said(front: Front) -> None:
    front.gateway.link = LinkState.REPLACED
    front.desk.lay(job())
    with Client(front.url) as gateway:
        seen = next(looks(gateway, "job1"))
    assert "default is replaced: " in picture(seen, BEGAN).plain


def test_wait_ends_with_1_when_nobody_knows_and_says_what_to_do(paired: House, wigwag: Command) -> None:
    paired.trial.whatsapp.hooks[Point.LEFT] = failing(Unconfirmed())
    result = wigwag("send", NUMBER, "Hi", "--wait", WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout.split()[-1]) == (1, "unconfirmed")
    assert "wigwag: nobody knows whether it was sent." in result.stderr
    name = result.stderr.split("wigwag messages retry ")[1].split()[0]
    for verb in ("show", "cancel"):
        assert f"wigwag messages {verb} {name}" in result.stderr
    assert "Nobody knows" in wigwag("messages", "show", name, WIGWAG_URL=paired.url).stdout
    assert f"wigwag messages show {name}" in wigwag("messages", "retry", name, WIGWAG_URL=paired.url).stdout


# --- what was sent


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
