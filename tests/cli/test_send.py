# SPDX-License-Identifier: Apache-2.0
"""`send`, `messages` and `templates`: what is asked of the gateway, what people read, and how it ends."""

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.cli.conftest import Command, Front, House
from wigwag.cli import app
from wigwag.cli.moments import told, when
from wigwag.cli.outcome import Failure
from wigwag.cli.send import Type
from wigwag.domain.account import LinkState
from wigwag.domain.contents import MEDIA, Kind, Media, Text
from wigwag.domain.drafts import Draft, Template

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
