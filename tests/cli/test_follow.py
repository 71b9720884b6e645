# SPDX-License-Identifier: Apache-2.0
"""`send --wait`: a message is followed to its end."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from rich.console import Console

from tests.cli.conftest import Command, Front, House, in_turn
from tests.desk import job
from wigwag.cli import follow as following
from wigwag.cli.client import Client
from wigwag.cli.follow import Goal, arrived, follow, line, looks, picture
from wigwag.domain.account import LinkState
from wigwag.domain.contents import Content, Kind, Media, Text
from wigwag.domain.delivery import State
from wigwag.domain.drafts import Draft
from wigwag.domain.errors import Unconfirmed
from wigwag.testing import Point, failing

NUMBER = "919876543210"


def sent(front: Front) -> Draft:
    (draft,) = front.desk.drafts
    return draft


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
