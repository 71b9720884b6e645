# SPDX-License-Identifier: Apache-2.0
"""Takes in what is to be sent: one way for all doors. What is accepted here is on disk.

A draft is judged whole before it becomes a job. When and how the job goes out is the dispatcher's affair.
"""

from collections.abc import Callable

from wigwag.app.ports import Clock, JobArchive, Ledger, MediaStore, MessageStore, Numbering, Step, TemplateStore
from wigwag.domain.contents import Content, Media, Reaction, texts
from wigwag.domain.delivery import Job, Quote, State, move, reopened
from wigwag.domain.drafts import LONGEST_DELAY, Draft, Template, fill, fingerprint
from wigwag.domain.errors import Conflict, InvalidMessage, KeyReused, NotFound
from wigwag.domain.events import Fact, JobChanged
from wigwag.domain.ids import Jid, group_jid, is_group
from wigwag.domain.outbox import of_job
from wigwag.domain.safety import attack

_ATTACKS = {"sql": "sql_injection", "xss": "xss"}


class Sender:
    """Accepts, cancels and reopens jobs.

    Args:
        pick: the account that a name means, or the only one for None.
        new_trace: begins the trace of the job with an id, for whoever brought none.
        new_id: makes ids that nobody can guess, of 32 letters.
        strict: whether texts that carry an attack are refused (seed 003).
        wake: told the job when there is something new to send.
    """

    def __init__(  # noqa: PLR0913  wired by keyword, once
        self,
        *,
        ledger: Ledger,
        archive: JobArchive,
        messages: MessageStore,
        templates: TemplateStore,
        media: MediaStore,
        numbering: Numbering,
        clock: Clock,
        announce: Callable[[Fact], None],
        pick: Callable[[str | None], str],
        new_id: Callable[[], str],
        new_trace: Callable[[str], str],
        strict: bool,
        wake: Callable[[Job], None],
    ) -> None:
        self._ledger, self._archive, self._messages, self._templates = ledger, archive, messages, templates
        self._media, self._numbering, self._clock = media, numbering, clock
        self._announce, self._pick = announce, pick
        self._new_id, self._new_trace, self._strict, self._wake = new_id, new_trace, strict, wake

    async def send(self, draft: Draft) -> tuple[Job, bool]:
        """Accept a draft; the job is on disk when this returns. The same key and draft give the same job.

        Returns the job, and whether it is new.
        Raises InvalidMessage, InvalidJid, NotFound, Conflict (which account?), KeyReused, StoreUnavailable.
        """
        job = await self._judged(draft)
        [kept] = await self._ledger.accept([job])
        is_new = kept.id == job.id
        if is_new:
            self._announce(JobChanged(before=None, after=kept, at=kept.created))
            self._wake(kept)
        elif kept.fingerprint != job.fingerprint:
            raise KeyReused
        return kept, is_new

    async def cancel(self, job_id: str) -> Job:
        """Take a job back that was not sent yet. Raises NotFound, or Conflict when it is too late."""
        return await self._move(job_id, State.CANCELLED)

    async def retry(self, job_id: str) -> Job:
        """Try a failed or unconfirmed job again, from the first attempt. Raises NotFound, Conflict."""
        return await self._move(job_id, State.ACCEPTED)

    async def job(self, job_id: str) -> Job:
        """Raises NotFound."""
        job = await self._archive.get(job_id)
        if job is None:
            raise NotFound("There is no such message.")
        return job

    async def earliest_due(self, account: str) -> float | None:
        """When the job is or was due that an account sends next; None if it has none to send."""
        return await self._ledger.next_due(account, 0.0)

    def account(self, name: str | None) -> str:
        """The account that a name means, or the only one. Raises NotFound, Conflict."""
        return self._pick(name)

    # --- judging

    async def _judged(self, draft: Draft) -> Job:
        content = await self._content(draft.content)
        await self._check(content)
        to = self._recipient(draft.to)
        account = self._pick(draft.account)
        now = self._clock.now()
        send_at = draft.send_at if draft.send_at is not None else now
        if send_at > now + LONGEST_DELAY:
            raise InvalidMessage("A message can be scheduled a year ahead at most.", reason="invalid_send_at")
        about = content.message_id if isinstance(content, Reaction) else draft.reply_to
        job_id = self._new_id()
        return Job(
            id=job_id,
            account=account,
            to=to,
            content=content,
            since=now,
            created=now,
            due=max(send_at, now),
            priority=draft.priority,
            key=draft.key,
            fingerprint=fingerprint(draft),
            quote=await self._quote(account, to, about) if about else None,
            mentions=tuple(self._numbering(mention)[0] for mention in draft.mentions),
            door=draft.door,
            user_id=draft.user_id,
            trace=draft.trace or self._new_trace(job_id),
            answer_to=draft.answer_to,
            correlation=draft.correlation,
        )

    async def _content(self, content: Content | Template) -> Content:
        if not isinstance(content, Template):
            return content
        text = await self._templates.template(content.name)
        if text is None:
            raise InvalidMessage("There is no such template.", reason="unknown_template")
        return fill(text, content.values)

    async def _check(self, content: Content) -> None:
        for text in texts(content) if self._strict else ():
            if kind := attack(text):
                raise InvalidMessage(
                    f"The text looks like an attack ({kind}). See WIGWAG_MESSAGES_CONTENT_POLICY.",
                    reason=_ATTACKS[kind],
                )
        if isinstance(content, Media) and content.media and not await self._media.has(content.media):
            raise InvalidMessage("There are no such media here: upload them again.", reason="unknown_media")

    def _recipient(self, to: str) -> Jid:
        return group_jid(to) if is_group(to) else self._numbering(to)[0]

    async def _quote(self, account: str, chat: Jid, message_id: str) -> Quote:
        for form in (chat,) if is_group(chat) else self._numbering(chat):
            if message := await self._messages.get(account, form, message_id):
                break
        else:
            raise InvalidMessage("The message to answer or react to is not known here.", reason="unknown_message")
        return Quote(message_id=message.id, sender=message.sender, from_me=message.from_me, text=message.text)

    # --- changing

    async def _move(self, job_id: str, state: State) -> Job:
        before = await self.job(job_id)
        now = self._clock.now()
        after = reopened(before, now) if state is State.ACCEPTED else move(before, state, now)
        [done] = await self._ledger.advance([Step(before=before.state, after=after)], of_job(after))
        if not done:
            raise Conflict("The message just came into another state. Look again.")
        self._announce(JobChanged(before=before, after=after, at=now))
        self._wake(after)
        return after
