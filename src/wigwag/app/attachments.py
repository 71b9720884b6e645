# SPDX-License-Identifier: Apache-2.0
"""Media on their way out and in: fetched, kept, prepared for WhatsApp, downloaded from it, and cleaned up."""

from collections.abc import Callable

from wigwag.app.ports import Clock, Courier, Fetcher, MediaStore, MessageStore
from wigwag.domain.contents import Media
from wigwag.domain.errors import NotFound
from wigwag.domain.events import Fact, MediaProcessed
from wigwag.domain.media import LIMITS, Prepared
from wigwag.domain.messages import Message


class Attachments:
    """What messages carry beside their text."""

    def __init__(
        self,
        *,
        media: MediaStore,
        fetcher: Fetcher,
        courier: Courier,
        messages: MessageStore,
        clock: Clock,
        announce: Callable[[Fact], None],
    ) -> None:
        self._media, self._fetcher, self._courier, self._messages = media, fetcher, courier, messages
        self._clock, self._announce = clock, announce

    async def keep(self, data: bytes) -> str:
        """Keep what somebody uploaded. Returns the id to name it by."""
        return await self._media.keep(data)

    async def prepared(self, content: Media) -> Prepared:
        """The media of a job, with all that WhatsApp wants to be told of them.

        Raises InvalidMessage or NotFound if they are unfit or gone, Unavailable if they cannot be had now.
        """
        started = self._clock.now()
        media_id = content.media
        if content.url:
            media_id = await self._media.keep(await self._fetcher.fetch(content.url, LIMITS[content.kind]))
        prepared = await self._media.prepare(media_id, content.kind, content.mimetype, content.filename)
        now = self._clock.now()
        self._announce(MediaProcessed(kind=content.kind, direction="out", seconds=now - started, at=now))
        return prepared

    async def of(self, message: Message) -> tuple[bytes, str]:
        """The media of a message in a chat, and their type. They are downloaded when they are asked for first.

        Raises NotFound if the message has none, or if WhatsApp does not keep them any more.
        """
        if message.media:
            try:
                return await self._media.read(message.media), message.mimetype
            except NotFound:
                if not message.raw:
                    raise
        return await self._media.read(await self.download(message)), message.mimetype

    async def download(self, message: Message) -> str:
        """Have the media of a message in our store. Returns their id."""
        if not message.raw:
            raise NotFound("This message carries no media.")
        started = self._clock.now()
        media_id = await self._media.keep(await self._courier.download(message.account, message.raw))
        await self._messages.put_media(message.account, message.chat, message.id, media_id)
        now = self._clock.now()
        self._announce(MediaProcessed(kind=message.kind, direction="in", seconds=now - started, at=now))
        return media_id
