# SPDX-License-Identifier: Apache-2.0
"""Everything that the doors may ask about messages. It reads what people write, routes, and decides nothing else."""

from collections.abc import Collection
from dataclasses import replace

from wigwag.app.attachments import Attachments
from wigwag.app.ports import Courier, JobArchive, JobFilter, MessageStore, Numbering, TemplateStore
from wigwag.app.sender import Sender
from wigwag.domain.delivery import Job, Receipt, State
from wigwag.domain.drafts import Draft, check_template
from wigwag.domain.errors import InvalidJid, InvalidMessage, NotFound
from wigwag.domain.ids import Jid, contact_jid, group_jid, is_group
from wigwag.domain.messages import Message

LONGEST_NAME = 64  # characters of a template's name


class Messages:
    """Jobs, chats, media and templates. Every method may raise StoreUnavailable."""

    def __init__(
        self,
        *,
        sender: Sender,
        archive: JobArchive,
        store: MessageStore,
        attachments: Attachments,
        templates: TemplateStore,
        courier: Courier,
        numbering: Numbering,
    ) -> None:
        self._sender, self._archive, self._store = sender, archive, store
        self._attachments, self._templates, self._courier = attachments, templates, courier
        self._numbering = numbering

    def addresses(self, text: str) -> tuple[Jid, ...]:
        """All addresses under which somebody may be kept, from any spelling of one; or the one of a group.

        Somebody whose number no plan knows may have written to us all the same. Raises InvalidJid.
        """
        if is_group(text):
            return (group_jid(text),)
        try:
            return self._numbering(text)
        except InvalidJid:
            return (contact_jid(text),)

    # --- jobs

    async def send(self, draft: Draft) -> tuple[Job, bool]:
        """Accept a draft: it is on disk when this returns. The same idempotency key and draft give the same job.

        Returns the job, and whether it is new.
        Raises InvalidMessage, InvalidJid, NotFound or Conflict (which account?), KeyReused.
        """
        return await self._sender.send(draft)

    async def job(self, job_id: str) -> Job:
        """Raises NotFound."""
        return await self._sender.job(job_id)

    async def jobs(self, wanted: JobFilter, limit: int, *, to: str | None = None) -> list[Job]:
        """Jobs, newest first; perhaps only those to a person or a group, in any spelling. Raises InvalidJid."""
        if to is not None:
            wanted = replace(wanted, to=self.addresses(to))
        return await self._archive.find(wanted, limit)

    async def job_counts(self) -> dict[tuple[str, State], int]:
        """How many jobs each account has in each state."""
        return await self._archive.counts()

    async def earliest_due(self, account: str) -> float | None:
        """Since when the job waits, or until when, that an account sends next; None if it has none to send."""
        return await self._sender.earliest_due(account)

    async def receipts(self, job_id: str) -> list[Receipt]:
        """All receipts for a job's message, oldest first."""
        return await self._archive.receipts(job_id)

    async def cancel(self, job_id: str) -> Job:
        """Take a job back that was not sent yet. Raises NotFound, or Conflict when it is too late."""
        return await self._sender.cancel(job_id)

    async def retry(self, job_id: str) -> Job:
        """Try a failed or unconfirmed job again. Raises NotFound, Conflict."""
        return await self._sender.retry(job_id)

    # --- numbers

    async def look_up(self, numbers: Collection[str], *, account: str | None = None) -> dict[str, Jid | None]:
        """Under which address WhatsApp knows each number; None: it does not. It asks WhatsApp.

        Raises InvalidJid, NotFound or Conflict (which account?), NotLinked, Unavailable.
        """
        of = self._sender.account(account)
        forms = {number: self._numbering(number) for number in numbers}
        known = await self._courier.registered(of, [form for of_one in forms.values() for form in of_one])
        return {number: next((known[form] for form in forms[number] if form in known), None) for number in numbers}

    # --- chats

    async def chat(
        self, chat: str, *, account: str | None = None, limit: int = 50, before: tuple[float, str] | None = None
    ) -> list[Message]:
        """What was said with a person or in a group, newest first. Raises InvalidJid, NotFound, Conflict.

        Args:
            before: the instant and the id of a message: only those before it. An empty id stands for the instant.
        """
        of = self._sender.account(account)
        found = [each for jid in self.addresses(chat) for each in await self._store.chat(of, jid, limit, before)]
        return sorted(found, key=lambda message: (message.at, message.id), reverse=True)[:limit]

    async def message(self, chat: str, message_id: str, *, account: str | None = None) -> Message:
        """Raises InvalidJid, NotFound, Conflict."""
        of = self._sender.account(account)
        for jid in self.addresses(chat):
            if found := await self._store.get(of, jid, message_id):
                return found
        raise NotFound("There is no such message in this chat.")

    async def mark_read(self, chat: str, message_id: str, *, account: str | None = None) -> None:
        """Tell the sender that we read it. Raises NotFound, NotLinked."""
        message = await self.message(chat, message_id, account=account)
        await self._courier.mark_read(message.account, message)

    # --- media

    async def keep_media(self, data: bytes) -> str:
        """Keep what is to be sent later. Returns the id to name it by."""
        return await self._attachments.keep(data)

    async def media(self, chat: str, message_id: str, *, account: str | None = None) -> tuple[bytes, str]:
        """The media of a message and their type; downloaded when asked for first. Raises NotFound, NotLinked."""
        return await self._attachments.of(await self.message(chat, message_id, account=account))

    # --- templates

    async def templates(self) -> dict[str, str]:
        return await self._templates.templates()

    async def template(self, name: str) -> str:
        """Raises NotFound."""
        text = await self._templates.template(name)
        if text is None:
            raise NotFound("There is no template of this name.")
        return text

    async def put_template(self, name: str, text: str) -> None:
        """Keep a text with placeholders like ${name}. Raises InvalidMessage."""
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise InvalidMessage(f"A template's name has 1 to {LONGEST_NAME} characters.", reason="invalid_template")
        check_template(text)
        await self._templates.put_template(name, text)

    async def remove_template(self, name: str) -> None:
        """Raises NotFound."""
        if not await self._templates.remove_template(name):
            raise NotFound("There is no template of this name.")
