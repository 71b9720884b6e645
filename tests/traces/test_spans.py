# SPDX-License-Identifier: Apache-2.0
"""Facts as spans: what belongs below what, how long it took, and that nobody's number or text is in them."""

import itertools
from dataclasses import replace

import pytest

from tests.desk import ANNA, START, job
from wigwag.adapters.traces.spans import Span, spans
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, Mark, State, fold, held_up, move, sent
from wigwag.domain.events import DeliveryTried, Fact, JobChanged, PartRecovered
from wigwag.domain.traces import begin, parse

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLER = "b7ad6b7169203331"
OURS = str(begin(bytes(16 * [7]), "job1"))
ACCEPTED = job(trace=ASKED, content=Text(text="canary"))
SENDING = move(ACCEPTED, State.SENDING, START + 1)
SENT = sent(SENDING, "3EB0", START + 3)
READ = fold(SENT, Mark.READ, START + 60)


def life(*steps: Job) -> list[Span]:
    changes = itertools.pairwise((None, *steps))
    return [
        span for before, after in changes if after for span in spans(JobChanged(before=before, after=after, at=START))
    ]


def told(found: list[Span]) -> list[tuple[str, float, float]]:
    return [(span.name, span.start - START, span.end - START) for span in found]


def test_a_message_waits_leaves_and_is_read() -> None:
    found = life(ACCEPTED, SENDING, SENT, READ)
    assert told(found) == [("wait", 0.0, 1.0), ("send", 1.0, 3.0), ("message", 0.0, 3.0), ("receipt read", 3.0, 60.0)]
    wait, send, message, read = found
    assert message.parent == CALLER
    assert {span.parent for span in (wait, send, read)} == {message.context.span_id}
    assert len({span.context.span_id for span in found}) == 4
    assert {span.context.trace_id for span in found} == {"0af7651916cd43dd8448eb211c80319c"}


def test_a_trace_that_we_began_has_the_message_at_its_root() -> None:
    message = next(
        span
        for span in life(*(replace(each, trace=OURS) for each in (ACCEPTED, SENDING, SENT)))
        if span.name == "message"
    )
    assert message.parent is None
    assert str(message.context) == OURS


def test_each_attempt_has_a_span_of_its_own_and_says_why_it_came_to_nothing() -> None:
    hindered = held_up(SENDING, START + 2, "unavailable", "no", 0.0)
    again = move(hindered, State.SENDING, hindered.due + 1)
    failed = move(again, State.FAILED, hindered.due + 2, code="refused")
    found = life(ACCEPTED, SENDING, hindered, again, failed)
    assert [span.name for span in found] == ["wait", "send", "wait", "send", "message"]
    assert [span.error for span in found] == ["", "", "", "refused", "refused"]
    assert found[1].attributes["wigwag.hindered"] == "unavailable"
    assert found[2].start == hindered.due
    assert len({span.context.span_id for span in found}) == 5


@pytest.mark.parametrize("trace", [None, "nonsense", ASKED[:-2] + "00"])
def test_without_a_trace_or_where_nobody_wants_it_there_is_no_span(trace: str | None) -> None:
    assert life(*(replace(each, trace=trace) for each in (ACCEPTED, SENDING, SENT, READ))) == []


def delivery(**more: object) -> DeliveryTried:
    values: dict[str, object] = {
        "endpoint": "wh_a", "host": "example.com", "event": f"{ANNA}.1", "kind": "message.sent", "outcome": "delivered",
        "attempts": 2, "status": 200, "code": "", "seconds": 0.5, "at": START, "trace": ASKED,
    }  # fmt: skip
    return DeliveryTried(**values | more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, ""),
        ({"outcome": "retry", "status": 503}, "http_503"),
        ({"outcome": "failed", "status": None, "code": "unavailable"}, "unavailable"),
    ],
)
def test_an_attempt_of_a_webhook_has_the_span_that_the_endpoint_was_told(change: dict[str, object], error: str) -> None:
    [span] = spans(delivery(**change))
    parent = parse(ASKED)
    assert parent is not None
    assert span.context == parent.child(f"{ANNA}.1", "wh_a", "2")
    assert (span.parent, span.end - span.start, span.error) == (CALLER, 0.5, error)


def test_no_span_names_a_person_or_repeats_a_text() -> None:
    facts: list[Fact] = [delivery(), PartRecovered(part="x", at=START)]
    text = repr([*life(ACCEPTED, SENDING, SENT, READ), *(span for fact in facts for span in spans(fact))])
    assert "canary" not in text
    assert ANNA.partition("@")[0] not in text
    assert "example.com" not in text
