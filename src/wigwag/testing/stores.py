# SPDX-License-Identifier: Apache-2.0
"""All that a gateway keeps and fetches, in memory."""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING

from wigwag.adapters.memory.access import MemoryAuditStore, MemoryKeyStore
from wigwag.adapters.memory.accounts import MemoryAccountStore
from wigwag.adapters.memory.eraser import MemoryEraser
from wigwag.adapters.memory.events import MemoryEventLog
from wigwag.adapters.memory.jobs import MemoryJobArchive
from wigwag.adapters.memory.ledger import MemoryLedger
from wigwag.adapters.memory.messages import MemoryMessageStore
from wigwag.adapters.memory.presence import MemoryPresenceStore
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.memory.templates import MemoryTemplateStore
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.adapters.memory.watches import MemoryWatchStore
from wigwag.adapters.memory.webhooks import MemoryWebhookStore
from wigwag.adapters.numbering import forms
from wigwag.app.access import Vault
from wigwag.app.correspondence import Mail
from wigwag.app.lobby import Host
from wigwag.app.ports import (
    Clock,
    Courier,
    EventLog,
    Fetcher,
    JobArchive,
    Ledger,
    MediaStore,
    MessageStore,
    Postman,
    TemplateStore,
)
from wigwag.app.webhooks import Hooks
from wigwag.domain.contents import Kind
from wigwag.domain.errors import InvalidMessage, NotFound
from wigwag.domain.media import Prepared
from wigwag.domain.throttle import Rate
from wigwag.domain.webhooks import Answer


class FakeMedia:
    """Media in memory: nothing is looked into, and any bytes are fit for any kind."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def keep(self, data: bytes) -> str:
        media_id = sha256(data).hexdigest()
        self.files[media_id] = data
        return media_id

    async def has(self, media_id: str) -> bool:
        return media_id in self.files

    async def read(self, media_id: str) -> bytes:
        if media_id not in self.files:
            raise NotFound("There is no such file.")
        return self.files[media_id]

    async def prepare(self, media_id: str, kind: Kind, mimetype: str = "", filename: str = "") -> Prepared:  # noqa: ARG002
        return Prepared(data=await self.read(media_id), mimetype=mimetype or f"{kind}/fake")

    async def remove(self, ids: Collection[str]) -> None:
        for media_id in ids:
            self.files.pop(media_id, None)

    async def cleanup(self, needed: Collection[str]) -> int:
        gone = self.files.keys() - set(needed)
        await self.remove(gone)
        return len(gone)


class FakeWeb:
    """Pages by URL; nothing else can be fetched."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}

    async def fetch(self, url: str, limit: int) -> bytes:
        page = self.pages.get(url)
        if page is None or len(page) > limit:
            raise InvalidMessage("This URL leads nowhere.", reason="invalid_media")
        return page


class FakePostman:
    """Takes every post; `answers` has the status for a URL, in place of 200."""

    def __init__(self) -> None:
        self.answers: dict[str, int] = {}
        self.posts: list[tuple[str, dict[str, str], bytes]] = []

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        self.posts.append((url, dict(headers), content))
        return Answer(status=self.answers.get(url, 200))


class MemoryStores:
    """All stores in memory. Give the same ones to a second trial, and it is a restart.

    A test may put something in front of a store, to let it fail.
    """

    def __init__(self) -> None:
        self.watches = MemoryWatchStore()
        self.presence = MemoryPresenceStore(self.watches)
        self.accounts = MemoryAccountStore()
        log = MemoryEventLog()
        ledger = MemoryLedger(log)
        archive, messages = MemoryJobArchive(ledger), MemoryMessageStore(log)
        self.eraser = MemoryEraser(ledger, archive, messages, log)
        self.events: EventLog = log
        self.ledger: Ledger = ledger
        self.archive: JobArchive = archive
        self.messages: MessageStore = messages
        self.templates: TemplateStore = MemoryTemplateStore()
        self.media, self.web = FakeMedia(), FakeWeb()
        self.users = MemoryUserStore()
        self.keys, self.audit = MemoryKeyStore(), MemoryAuditStore()
        self.webhooks, self.postman = MemoryWebhookStore(log), FakePostman()

    def host(self, clock: Clock) -> Host:
        """All that is known of the host application's users."""
        kept = self.users
        return Host(
            users=kept,
            directory=kept,
            last_seen=MemoryLastSeenStore(kept),
            grants=kept,
            roster=MemoryRoster(clock),
        )

    def vault(self) -> Vault:
        """Keys and what was done with them."""
        return Vault(keys=self.keys, audit=self.audit)

    def hooks(self) -> Hooks:
        """All that webhooks need."""
        kept = self.webhooks
        return Hooks(endpoints=kept, deliveries=kept, archive=kept, postman=self.postman)

    def mail(self, courier: Courier, rate: Rate, **choices: bool) -> Mail:
        """All that messages need; `choices` are those of Mail."""
        return Mail(
            courier=courier,
            ledger=self.ledger,
            archive=self.archive,
            messages=self.messages,
            events=self.events,
            templates=self.templates,
            eraser=self.eraser,
            media=self.media,
            fetcher=self.web,
            numbering=forms,
            rate=rate,
            **choices,
        )


if TYPE_CHECKING:
    _media: type[MediaStore] = FakeMedia
    _fetcher: type[Fetcher] = FakeWeb
    _postman: type[Postman] = FakePostman
