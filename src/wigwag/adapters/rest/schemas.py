# SPDX-License-Identifier: Apache-2.0
"""The shape of what REST says and hears about presence and problems. Keys and their order are those of the seeds."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from wigwag.adapters.rest.answers import instant_or_never
from wigwag.app.gateway import PresenceCounts
from wigwag.domain import presence as domain
from wigwag.domain.presence import Status
from wigwag.domain.texts import kept_text


class Strict(BaseModel):
    """A request body: an unknown key is a mistake, not a wish to be ignored."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(examples=["urn:wigwag:problem:not_found"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["This contact is not tracked."])
    instance: str = Field(examples=["/api/presence/919876543210@s.whatsapp.net"])
    code: str = Field(examples=["not_found"], description="stable, for machines")
    reason: str | None = Field(
        None, examples=["text_too_long"], description="what is wrong with a message: stable, for machines"
    )
    errors: list[dict[str, str]] | None = Field(None, description="where a request is malformed, and why")


class Presence(BaseModel):
    """A contact's presence (seed 000). `is_online` is false for a contact that is not observed too."""

    jid: str = Field(examples=["919876543210@s.whatsapp.net"])
    name: str = Field(examples=["John Doe"])
    is_online: bool
    last_seen: datetime | None = Field(description="null if hidden, or never seen", examples=["2025-10-23T21:30:00Z"])
    last_status_change: datetime | None = Field(
        description="when it became online, offline or unknown; null if nothing was ever heard",
        examples=["2025-10-23T21:30:00Z"],
    )
    observed: bool = Field(description="whether we hear of the contact now; if not, is_online says nothing")

    @classmethod
    def of(cls, presence: domain.Presence) -> Self:
        return cls(
            jid=presence.jid,
            name=kept_text(presence.name),
            is_online=presence.status is Status.ONLINE,
            last_seen=instant_or_never(presence.last_seen),
            last_status_change=instant_or_never(presence.since if presence.heard else None),
            observed=presence.status is not Status.UNKNOWN,
        )


class PresenceStats(BaseModel):
    """How many contacts (seed 000). `total_contacts` is `observed` and the unobserved together."""

    total_contacts: int = Field(examples=[25])
    online_count: int = Field(examples=[12])
    offline_count: int = Field(examples=[13])
    observed: int = Field(examples=[25], description="contacts of whom we hear now")

    @classmethod
    def of(cls, counts: PresenceCounts) -> Self:
        return cls(
            total_contacts=counts.total,
            online_count=counts.online,
            offline_count=counts.offline,
            observed=counts.observed,
        )


class Typing(BaseModel):
    """Someone who types or records a message to us now."""

    jid: str
    name: str
    typing: str = Field(examples=["composing", "recording"])
    since: datetime


class Span(BaseModel):
    """A stretch of time. JSON calls its ends `from` and `to`."""

    start: datetime = Field(serialization_alias="from", examples=["2025-10-23T20:15:00Z"])
    end: datetime | None = Field(
        serialization_alias="to", description="null while it lasts", examples=["2025-10-23T20:45:00Z"]
    )


Stretch = tuple[int, int | None]
"""From and to, in Unix seconds; null while it lasts."""


class Timeline(BaseModel):
    """What was observed of one contact, in few bytes. One who is not tracked has nothing."""

    jid: str
    online: list[Stretch] = Field(examples=[[[1761250500, 1761252300]]])
    observed: list[Stretch]


class Timelines(BaseModel):
    """What was observed of several contacts. Times are Unix seconds here, because there are many."""

    start: int = Field(serialization_alias="from")
    end: int = Field(serialization_alias="to")
    timelines: list[Timeline]


class History(BaseModel):
    """What was observed of a contact within a window. Offline is observed and not online."""

    jid: str
    name: str
    start: datetime = Field(serialization_alias="from")
    end: datetime = Field(serialization_alias="to")
    online: list[Span]
    observed: list[Span]
