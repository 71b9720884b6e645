# SPDX-License-Identifier: Apache-2.0
"""Events: each documented kind can be made, ids are stable and apart, and patterns mean what they say."""

import json
from dataclasses import replace

import pytest

from wigwag.domain.account import Account, LinkState
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, State
from wigwag.domain.events import AccountChanged, CallReported, Fact, GroupReported, PartRecovered
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.outbox import KINDS, Event, of_fact, of_job, of_message, wanted
from wigwag.domain.presence import PresenceChanged, Status

ANA, GROUP = Jid("15550100001@s.whatsapp.net"), Jid("120363000000000001@g.us")
JOB = Job(
    id="j1", account="a", to=ANA, content=Text(text="a secret"), since=5.0, created=1.0, due=1.0, trace="00-t-s-01"
)
MESSAGE = Message(
    account="a", chat=ANA, id="M1", sender=ANA, from_me=False, kind=MessageKind.TEXT, at=5.0, text="hello", raw=b"\0"
)
LINKED, LOST = (Account(name="a", since=1.0, state=state) for state in (LinkState.CONNECTED, LinkState.CONNECTING))
FACTS: list[Fact] = [
    PresenceChanged(jid=ANA, before=Status.OFFLINE, after=Status.ONLINE, at=5.0, last_seen=None, counted=True),
    AccountChanged(before=LINKED, after=LOST, at=5.0),
    GroupReported(account="a", group=GROUP, joined=(ANA,), at=5.0),
    CallReported(account="a", caller=ANA, call_id="c1", at=5.0),
]
ELSEWHERE = {"webhook.disabled", "webhook.test"}  # made in the domain of webhooks


def made() -> list[Event]:
    jobs = [event for state in State for event in of_job(replace(JOB, state=state))]
    messages = [of_message(replace(MESSAGE, kind=kind, id=f"M-{kind}")) for kind in MessageKind]
    facts = [event for fact in FACTS if (event := of_fact(fact))]
    return jobs + messages + facts


def test_each_documented_kind_can_be_made_and_no_other() -> None:
    assert {event.kind for event in made()} == KINDS.keys() - ELSEWHERE


def test_two_events_never_have_the_same_id_and_the_same_event_always_has() -> None:
    ids = [event.id for event in made()]
    assert len(set(ids)) == len(ids)
    assert [event.id for event in made()] == ids


def test_data_are_plain_values_without_bytes_or_the_text_that_was_sent() -> None:
    for event in made():
        assert json.loads(json.dumps(event.data)) == event.data
        assert "a secret" not in json.dumps(event.data)
        assert "hello" not in repr(event)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.SENDING])
def test_nobody_is_told_of_a_job_that_is_still_ours(state: State) -> None:
    assert of_job(replace(JOB, state=state)) == []


def test_what_is_told_of_a_job_says_whose_it_is_and_carries_its_trace() -> None:
    [event] = of_job(replace(JOB, state=State.FAILED, code="refused", user_id="u", key="k", correlation="c"))
    assert (event.trace, event.account, event.at) == ("00-t-s-01", "a", 5.0)
    told = {
        "job": "j1",
        "to": ANA,
        "state": "failed",
        "code": "refused",
        "user_id": "u",
        "key": "k",
        "correlation": "c",
    }
    assert told.items() <= event.data.items()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (MessageKind.EDIT, "message.edited"),
        (MessageKind.DELETION, "message.deleted"),
        (MessageKind.REACTION, "message.reaction"),
        (MessageKind.VOTE, "message.vote"),
        (MessageKind.VOICE, "message.received"),
        (MessageKind.OTHER, "message.received"),
    ],
)
def test_what_is_told_of_a_message_is_named_for_its_kind(kind: MessageKind, told: str) -> None:
    assert of_message(replace(MESSAGE, kind=kind)).kind == told


@pytest.mark.parametrize("change", [{"account": "b"}, {"chat": GROUP}, {"id": "M2"}])
def test_messages_apart_have_ids_apart(change: dict[str, str]) -> None:
    assert of_message(replace(MESSAGE, **change)).id != of_message(MESSAGE).id  # type: ignore[arg-type]


JOINED = GroupReported(account="a", group=GROUP, joined=(ANA,), at=5.0)


@pytest.mark.parametrize(
    "other",
    [
        replace(JOINED, account="b"),
        replace(JOINED, subject="new"),
        replace(JOINED, joined=(), left=(ANA,)),
        replace(JOINED, at=6.0),
    ],
)
def test_different_things_at_one_instant_have_ids_apart(other: GroupReported) -> None:
    """WhatsApp counts in seconds, and a group may change twice in one."""
    one, two = of_fact(JOINED), of_fact(other)
    assert one is not None
    assert two is not None
    assert one.id != two.id


def test_the_two_turns_of_a_link_at_one_instant_have_ids_apart() -> None:
    down, up = AccountChanged(before=LINKED, after=LOST, at=5.0), AccountChanged(before=LOST, after=LINKED, at=5.0)
    ids = {event.id for fact in (down, up) if (event := of_fact(fact))}
    assert len(ids) == 2


def test_other_facts_are_ours_alone() -> None:
    assert of_fact(PartRecovered(part="ledger", at=1.0)) is None


@pytest.mark.parametrize(
    ("patterns", "kind", "meant"),
    [
        (("message.sent",), "message.sent", True),
        (("message.sent",), "message.read", False),
        (("message.*",), "message.read", True),
        (("message.*",), "presence.changed", False),
        (("*",), "account.changed", True),
        (("*.changed",), "account.changed", True),
        (("Message.*",), "message.sent", False),
        (("call.received", "message.*"), "message.vote", True),
        ((), "message.sent", False),
    ],
)
def test_a_pattern_means(patterns: tuple[str, ...], kind: str, meant: bool) -> None:
    assert wanted(kind, patterns) is meant
