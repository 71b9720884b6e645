# SPDX-License-Identifier: Apache-2.0
"""Jobs, messages and events to put into stores. What is not said does not matter to the test."""

from dataclasses import replace
from itertools import count

from wigwag.app.ports import Step
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, State
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message, MessageKind
from wigwag.domain.outbox import Event

NOW = 1_763_637_780.125
WANDA, BRUNO = Jid("15550100042@s.whatsapp.net"), Jid("15550100043@s.whatsapp.net")
GROUP = Jid("120363041234567890@g.us")
ODD_TEXTS = ["Ané 👩🏽\u200d🚀", "الاسم \u202e", " x ", "a\r\n\tb\x01\x7f\u2028", "'; --%s {} \\ \\u0041", "🦩" * 4096]

_numbers = count(1)


def job(to: Jid = WANDA, text: str = "Hello", **known: object) -> Job:
    """A job with an id of its own, due at once."""
    made = Job(
        id=f"{next(_numbers):032x}",
        account="default",
        to=to,
        content=Text(text=text),
        since=NOW,
        created=NOW,
        due=NOW,
    )
    return replace(made, **known)  # type: ignore[arg-type]


def step(before: Job, state: State, **changes: object) -> Step:
    return Step(before=before.state, after=replace(before, state=state, **changes))  # type: ignore[arg-type]


def message(chat: Jid = WANDA, text: str = "Hello", **known: object) -> Message:
    """A message with an id of its own, which somebody wrote to us."""
    made = Message(
        account="default",
        chat=chat,
        id=f"3EB0{next(_numbers):016X}",
        sender=WANDA,
        from_me=False,
        kind=MessageKind.TEXT,
        at=NOW,
        text=text,
    )
    return replace(made, **known)  # type: ignore[arg-type]


def event(**data: object) -> Event:
    return Event(id=f"event-{next(_numbers)}", kind="webhook.test", account="default", at=NOW, data=data)
