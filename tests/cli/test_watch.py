# SPDX-License-Identifier: Apache-2.0
"""`watch` shows who is online, tells not observed from offline at a glance, and outlives a gateway that restarts."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from tests.cli.conftest import Command, House, in_turn
from wigwag.cli.client import Client
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.picture import picture
from wigwag.cli.screen import ago, duration
from wigwag.cli.snapshot import OFFLINE, ONLINE, UNOBSERVED, Account, Contact, Snapshot
from wigwag.cli.watch import View, changes, look
from wigwag.domain.account import LinkSignal
from wigwag.domain.events import Typing, TypingReported
from wigwag.domain.ids import Jid
from wigwag.testing import Trial

ANNA, BERT, CARL = (Jid(f"1555010000{digit}@s.whatsapp.net") for digit in "123")
NOW = 1_800_000_000.0


@pytest.fixture
def peopled(paired: House) -> House:
    """Anna is online and types, Bert is offline and was seen five minutes ago, Carl was never heard of."""

    async def populate(trial: Trial) -> None:
        trial.whatsapp.answers = False
        await trial.core.gateway.track([(ANNA, "Anna [x]"), (BERT, "Bert"), (CARL, "")])
        await trial.clock.advance(1)
        trial.whatsapp.tell_presence(ANNA, online=True)
        trial.whatsapp.tell_presence(BERT, online=False, last_seen=trial.clock.now() - 330)
        await trial.clock.settle()
        typing = TypingReported(account="default", jid=ANNA, typing=Typing.COMPOSING, at=trial.clock.now())
        trial.whatsapp.tell(typing)

    paired.do(populate)
    return paired


def _cut(trial: Trial) -> None:
    trial.whatsapp.tell_link(LinkSignal.DOWN)


def test_the_table_tells_all_three_states_and_shows_the_busiest_first(peopled: House, wigwag: Command) -> None:
    result = wigwag("watch", "--once", WIGWAG_URL=peopled.url)
    assert result.exit_code == 0
    header, _heads, *lines = result.stdout.splitlines()
    assert header == "3 contacts   ● online 1   ○ offline 1   ? not observed 1   default: connected"
    anna, bert, carl = lines
    assert anna.startswith("● typing")
    assert "Anna [x]" in anna
    assert bert.startswith("○ offline")
    assert "5 min ago" in bert
    assert carl.startswith("? not observed")
    assert carl.endswith("pending")


def test_when_the_link_is_down_nobody_is_shown_as_offline(peopled: House, wigwag: Command) -> None:
    peopled.do(_cut)
    lines = wigwag("watch", "--once", WIGWAG_URL=peopled.url).stdout.splitlines()
    assert lines[0] == "3 contacts   ● online 0   ○ offline 0   ? not observed 3   default: transient"
    assert lines[1] == "default: The link is down; it is being made again."
    assert [line[:14] for line in lines[3:]] == ["? not observed"] * 3


def test_json_is_one_list(peopled: House, wigwag: Command) -> None:
    contacts = json.loads(wigwag("watch", "--once", "--json", WIGWAG_URL=peopled.url).stdout)
    assert [(each["jid"], each["state"], each["typing"]) for each in contacts] == [
        (ANNA, "online", "composing"),
        (BERT, "offline", ""),
        (CARL, "not observed", ""),
    ]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("anna", [ANNA]),
        ("0002", [BERT]),
        ("online", [ANNA]),
        ("unobserved", [CARL]),
        ("bert online", []),
        ("", [ANNA, BERT, CARL]),
    ],
)
def test_a_filter_takes_names_numbers_and_states(words: str, shown: list[Jid], peopled: House, wigwag: Command) -> None:
    result = wigwag("watch", "--once", "--json", "--filter", words, WIGWAG_URL=peopled.url)
    assert [each["jid"] for each in json.loads(result.stdout)] == shown


def _views(house: House, *pauses: Callable[[], None]) -> Iterator[View]:
    """What `watch` sees; during each pause, something happens."""
    with Client(house.url) as gateway:
        views = look(gateway, [], once=False, pause=in_turn(*pauses), now=lambda: NOW)
        for _ in range(len(pauses) + 1):
            yield next(views)


def test_it_says_so_when_the_gateway_is_away_and_goes_on_when_it_is_back(peopled: House) -> None:
    before, away, back = _views(peopled, peopled.close, peopled.open)
    assert [before.lost_at, away.lost_at, back.lost_at] == [None, NOW, None]
    assert [contact.state for contact in before.snapshot.contacts] == [ONLINE, OFFLINE, UNOBSERVED]
    assert [contact.state for contact in away.snapshot.contacts] == [UNOBSERVED] * 3
    assert back.snapshot == before.snapshot


def test_only_what_changed_becomes_a_line(peopled: House) -> None:
    def go() -> None:
        peopled.do(lambda trial: trial.whatsapp.tell_presence(BERT, online=True))

    first, quiet, changed = changes(_views(peopled, lambda: None, go))
    assert [len(first[1]), quiet[1]] == [3, []]
    assert [(contact.jid, contact.state) for contact in changed[1]] == [(BERT, ONLINE)]


def test_a_gateway_that_was_never_there_is_not_waited_for(house: House) -> None:
    house.close()
    with Client(house.url) as gateway, pytest.raises(Failure) as caught:
        next(look(gateway, [], once=False, pause=lambda: None))
    assert caught.value.code is ExitCode.UNREACHABLE
    house.open()


CONTACT = Contact(
    jid=ANNA, name="Anna", state=OFFLINE, since=NOW - 90, last_seen=NOW - 7200, typing="", subscription="active"
)
LOST = replace(CONTACT, state=UNOBSERVED)


def _drawn(snapshot: Snapshot, **options: int) -> str:
    console = Console(file=io.StringIO(), width=120, no_color=True)
    console.print(picture(snapshot, NOW, height=options.get("height")))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        (CONTACT, "○ offline Anna 15550100001 1 min 2 h ago active"),
        (replace(CONTACT, last_seen=None), "○ offline Anna 15550100001 1 min hidden active"),
        (replace(CONTACT, state=ONLINE), "● online Anna 15550100001 1 min now active"),
        (LOST, "? not observed Anna 15550100001 1 min 2 h ago active"),
        (replace(LOST, last_seen=None), "? not observed Anna 15550100001 1 min - active"),
    ],
)
def test_states_differ_without_colour(contact: Contact, shown: str) -> None:
    accounts = (Account(name="default", state="connected", advice="All is well."),)
    drawn = _drawn(Snapshot(contacts=(contact,), accounts=accounts))
    assert shown in " ".join(drawn.split())


@pytest.mark.parametrize(("height", "fits"), [(24, 18), (10, 4), (3, 1)])
def test_the_picture_fits_the_terminal_and_says_what_it_leaves_out(height: int, fits: int) -> None:
    many = tuple(replace(CONTACT, jid=f"{number}@s.whatsapp.net") for number in range(1000, 1100))
    drawn = _drawn(Snapshot(contacts=many, accounts=()), height=height)
    assert drawn.count("○ offline") == fits + 1
    assert f"… and {100 - fits} more" in drawn
    assert len(drawn.splitlines()) <= max(height, 7)


@pytest.mark.parametrize(
    ("seconds", "long", "past"),
    [
        (-5, "0 s", "now"), (0, "0 s", "now"), (1, "1 s", "now"), (59, "59 s", "59 s ago"), (60, "1 min", "1 min ago"),
        (150, "2 min", "2 min ago"), (3600, "1 h", "1 h ago"), (3660, "1 h 1 min", "1 h ago"),
        (86400, "1 d", "1 d ago"), (100_000, "1 d 3 h", "1 d ago"),
    ],
)  # fmt: skip
def test_times_are_said_as_people_do(seconds: float, long: str, past: str) -> None:
    assert (duration(seconds), ago(seconds)) == (long, past)


def test_the_age_of_a_change_is_counted_from_now(peopled: House) -> None:
    with Client(peopled.url) as gateway:
        view = next(look(gateway, ["anna"], once=True, pause=lambda: None))
    since = view.snapshot.contacts[0].since
    assert since is not None
    assert abs(since - peopled.trial.clock.now()) < 2
    assert since < time.time() + 60
