# SPDX-License-Identifier: Apache-2.0
"""What sending and receiving need: a ledger of jobs, a store of messages, a log of events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from wigwag.domain.delivery import Job, Receipt, State
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message
from wigwag.domain.outbox import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A job in its new state, and the state that it must still have in the ledger."""

    before: State
    after: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs to list; what is None or empty does not matter. `before` is a place: only jobs accepted earlier."""

    account: str | None = None
    to: tuple[Jid, ...] = ()
    states: tuple[State, ...] = ()
    scheduled: bool | None = None
    before: int | None = None


class Ledger(Protocol):
    """Keeps jobs through their life. What a call wrote is on disk when it returns: all of it or nothing.

    Events are written together with what they tell of, so that neither is there without the other.
    """

    async def accept(self, jobs: Sequence[Job], events: Sequence[Event] = ()) -> list[Job]:
        """Keep new jobs in this order; each gets its place, higher than all before.

        Where a job with the same key is kept already, that one is returned instead and nothing is written for it,
        not even the event with the new job's id in its data. Two with one key in the same call are one.
        """
        ...

    async def advance(self, steps: Sequence[Step], events: Sequence[Event] = ()) -> list[bool]:
        """Write jobs in their new state, each only if it is still in the state before. False where it was not.

        An event whose data name a job (`job`) that was not written is not written either.
        """
        ...

    async def due(self, account: str, now: float, limit: int, without: Collection[str] = ()) -> list[Job]:
        """Accepted jobs to send now: highest priority first, then in order of place; none of the ids in `without`.

        A job waits as long as an earlier one to the same recipient is sending, or waits for another attempt.
        """
        ...

    async def next_due(self, account: str, now: float) -> float | None:
        """When the next accepted job after `now` becomes due, Unix seconds; None if there is none."""
        ...

    async def by_message(self, account: str, message_ids: Collection[str]) -> list[Job]:
        """The jobs that became these messages."""
        ...

    async def in_state(self, account: str, state: State, to: Jid | None = None, limit: int = 1000) -> list[Job]:
        """Jobs in a state, to one recipient or all, oldest first."""
        ...


class JobArchive(Protocol):
    """Reads the ledger for people, and forgets what is old or erased."""

    async def get(self, job_id: str) -> Job | None: ...

    async def find(self, wanted: JobFilter, limit: int) -> list[Job]:
        """Jobs, newest first."""
        ...

    async def counts(self) -> dict[tuple[str, State], int]:
        """How many jobs each account has in each state; cheap enough to be asked every few seconds."""
        ...

    async def receipts(self, job_id: str) -> list[Receipt]:
        """All receipts that came for a job's message, oldest first."""
        ...

    async def keep_receipts(self, receipts: Sequence[tuple[str, Receipt]]) -> None:
        """Keep receipts of jobs, by the job's id. Keeping one twice is keeping it once."""
        ...

    async def forget(self, before: float) -> int:
        """Delete jobs that ended before an instant, with their receipts. Returns how many."""
        ...


class MessageStore(Protocol):
    """Keeps what was said in chats. Keeping a message twice is keeping it once."""

    async def keep(self, messages: Sequence[Message], events: Sequence[Event] = ()) -> list[bool]:
        """Keep messages, and the events that tell of them, together. False for those that were kept before.

        The event that tells of a message which was kept before (its data name it as `message`) is not written.
        An edit also changes the text of its target, and a deletion empties it, if the target's sender is the same.
        """
        ...

    async def get(self, account: str, chat: Jid, message_id: str) -> Message | None: ...

    async def chat(self, account: str, chat: Jid, limit: int, before: tuple[float, str] | None = None) -> list[Message]:
        """What was said in a chat, newest first, and of one instant the highest id first.

        `before` is an instant and an id: only what comes after these in that order. An empty id is below all others.
        """
        ...

    async def known(self, account: str, chats: Collection[Jid]) -> set[Jid]:
        """Those of the chats in which anything was ever said by either side."""
        ...

    async def put_media(self, account: str, chat: Jid, message_id: str, media: str) -> None:
        """A message's media are in our store now."""
        ...

    async def forget(self, before: float) -> int:
        """Delete messages from before an instant. Returns how many."""
        ...


class EventLog(Protocol):
    """The events in the order in which they happened. Positions rise and are never given twice, also over restarts."""

    async def append(self, events: Sequence[Event]) -> None:
        """Keep events; one whose id is kept already is left out."""
        ...

    async def after(self, position: int, limit: int) -> list[tuple[int, Event]]:
        """Events after a position, in order. One that is written later never has a lower position."""
        ...

    async def last(self) -> int:
        """The highest position; 0 if there was never an event."""
        ...

    async def get(self, event_id: str) -> Event | None: ...

    async def forget(self, before: float) -> int:
        """Delete events from before an instant. Returns how many."""
        ...


class Eraser(Protocol):
    """Deletes people."""

    async def erase_messages(self, jid: Jid) -> set[str]:
        """Delete jobs to a person, messages from and to them, receipts, and events and deliveries that name them.

        Returns the ids of media that nothing else names any more.
        """
        ...


class TemplateStore(Protocol):
    """Keeps texts under names."""

    async def templates(self) -> dict[str, str]: ...

    async def template(self, name: str) -> str | None: ...

    async def put_template(self, name: str, text: str) -> None: ...

    async def remove_template(self, name: str) -> bool:
        """False if there was none."""
        ...
