# SPDX-License-Identifier: Apache-2.0
"""A desk in the place of the use cases for messages: it notes what the door asks, and gives what the test laid out."""

from dataclasses import dataclass, field

from wigwag.app.gateway import Gateway
from wigwag.app.messages import Messages
from wigwag.app.ports import JobFilter
from wigwag.domain.account import Account, LinkState
from wigwag.domain.contents import Text
from wigwag.domain.delivery import Job, Receipt, State, move
from wigwag.domain.drafts import Draft, Template
from wigwag.domain.errors import NotFound, StoreUnavailable
from wigwag.domain.ids import Jid
from wigwag.domain.messages import Message
from wigwag.domain.subscriptions import Plan

ANNA = Jid("919876543210@s.whatsapp.net")
START = 1_800_000_000.0  # Unix seconds: 2027-01-15T08:00:00Z


def job(number: int = 1, **more: object) -> Job:
    """A job with what matters to the test, and something in every other place."""
    values: dict[str, object] = {
        "id": f"job{number}", "place": number, "account": "default", "to": ANNA, "content": Text(text="Hello!"),
        "since": START, "created": START, "due": START,
    }  # fmt: skip
    return Job(**values | more)  # type: ignore[arg-type]


@dataclass
class Desk(Messages):
    """Notes what it is asked."""

    laid: dict[str, Job] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)
    told: list[Receipt] = field(default_factory=list)
    asked: list[object] = field(default_factory=list)
    said: list[Message] = field(default_factory=list)
    file: tuple[bytes, str] = (b"", "")
    now: float = START
    away: bool = False  # whether the store does not answer
    repeats: bool = False  # whether what is sent was sent before
    texts: dict[str, str] = field(default_factory=dict)

    def lay(self, *jobs: Job) -> None:
        self.laid |= {each.id: each for each in jobs}

    async def send(self, draft: Draft) -> tuple[Job, bool]:
        self.drafts.append(draft)
        content = Text(text="filled") if isinstance(draft.content, Template) else draft.content
        made = job(len(self.laid) + 1, content=content, key=draft.key, user_id=draft.user_id, created=self.now)
        self.lay(made)
        return made, not self.repeats

    async def keep_media(self, data: bytes) -> str:
        self.files.append(data)
        return f"file{len(self.files)}"

    async def job(self, job_id: str) -> Job:
        if job_id not in self.laid:
            raise NotFound("There is no such message.")
        return self.laid[job_id]

    async def jobs(self, wanted: JobFilter, limit: int, *, to: str | None = None) -> list[Job]:
        self.asked.append((wanted, limit, to))
        newest = sorted(self.laid.values(), key=lambda each: -each.place)
        return [each for each in newest if wanted.before is None or each.place < wanted.before][:limit]

    async def job_counts(self) -> dict[tuple[str, State], int]:
        if self.away:
            raise StoreUnavailable
        return {("default", State.SENT): 2, ("sales", State.SENT): 3, ("sales", State.FAILED): 1}

    async def receipts(self, job_id: str) -> list[Receipt]:
        return self.told

    async def chat(
        self, chat: str, *, account: str | None = None, limit: int = 50, before: tuple[float, str] | None = None
    ) -> list[Message]:
        self.asked.append((chat, account, limit, before))
        return [each for each in self.said if before is None or (each.at, each.id) < before][:limit]

    async def media(self, chat: str, message_id: str, *, account: str | None = None) -> tuple[bytes, str]:
        self.asked.append((chat, message_id, account))
        return self.file

    async def mark_read(self, chat: str, message_id: str, *, account: str | None = None) -> None:
        self.asked.append((chat, message_id, account))

    async def templates(self) -> dict[str, str]:
        return self.texts

    async def template(self, name: str) -> str:
        if name not in self.texts:
            raise NotFound("There is no template of this name.")
        return self.texts[name]

    async def put_template(self, name: str, text: str) -> None:
        self.texts[name] = text

    async def remove_template(self, name: str) -> None:
        del self.texts[name]

    async def cancel(self, job_id: str) -> Job:
        return self._move(await self.job(job_id), State.CANCELLED)

    async def retry(self, job_id: str) -> Job:
        return self._move(await self.job(job_id), State.ACCEPTED)

    def _move(self, job: Job, state: State) -> Job:
        self.lay(move(job, state, self.now))
        return self.laid[job.id]


class DeskGateway(Gateway):
    """A gateway that has a desk and one account, and nothing else."""

    def __init__(self, desk: Desk) -> None:
        self.messages = desk

        self.link = LinkState.CONNECTED

    def account(self, name: str) -> Account:
        if name != "default":
            raise NotFound("There is no account of this name.")
        return Account(name=name, state=self.link)

    def restricted_until(self, name: str) -> float | None:
        return None

    def plans(self) -> dict[str, Plan]:
        return {}
