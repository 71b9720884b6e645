# SPDX-License-Identifier: Apache-2.0
"""The shape of what REST says and hears about subscriptions, their pace, and groups (seed 001)."""

from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from wigwag.adapters.rest.answers import instant_or_never
from wigwag.adapters.rest.schemas import Strict
from wigwag.domain import pacing, subscriptions
from wigwag.domain.errors import InvalidJid
from wigwag.domain.ids import contact_jid
from wigwag.domain.texts import LONGEST, kept_text
from wigwag.domain.watchlist import BY_NAME, MEDIUM, WatchedGroup

MOST = 10_000  # contacts in one call


def _contact(text: str) -> str:
    """Says which contact of many is malformed; the gateway would only say that one is."""
    try:
        return contact_jid(text)
    except InvalidJid as error:
        raise ValueError(str(error)) from error


Contact = Annotated[str, AfterValidator(_contact), Field(examples=["919876543210@s.whatsapp.net", "+91 98765 43210"])]
Priority = Annotated[int, Field(ge=1, le=3, description="1 high, 2 medium, 3 low")]
Account = Annotated[str | None, Field(description="which account; may be left out if there is only one")]


class NamedContact(Strict):
    """Whom to track, by jid or by phone number, and what to call them."""

    jid: Contact | None = None
    phone: Contact | None = None
    name: str = Field("", max_length=LONGEST)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.jid is None) is (self.phone is None):
            raise ValueError("give either jid or phone")
        return self

    @property
    def address(self) -> str:
        return self.jid or self.phone or ""


class Wish(Strict):
    """Whom to track: contacts with names, or bare jids, or both. All or none."""

    contacts: list[NamedContact] = Field([], max_length=MOST)
    jids: list[Contact] = Field([], max_length=MOST)
    priority: Priority = MEDIUM
    account: Account = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not 1 <= len(self.contacts) + len(self.jids) <= MOST:
            raise ValueError(f"name 1 to {MOST} contacts in `contacts` or `jids`")
        return self

    def pairs(self) -> list[tuple[str, str]]:
        return [(contact.address, contact.name) for contact in self.contacts] + [(jid, "") for jid in self.jids]


class GroupWish(Strict):
    """A group whose members to track."""

    group: str = Field(max_length=64, examples=["120363400902171371@g.us"])
    priority: Priority = MEDIUM
    account: Account = None


class Subscription(BaseModel):
    """Where the subscription of a contact stands."""

    jid: str
    name: str
    account: str
    priority: int
    state: str = Field(examples=["queued", "pending", "active", "stale", "failed"])
    attempts: int = Field(description="failures in a row")
    subscribed_at: datetime | None = Field(description="when it was last sent")
    retry_at: datetime | None = Field(description="when a failed one is tried again")

    @classmethod
    def of(cls, account: str, name: str, subscription: subscriptions.Subscription) -> Self:
        failed = subscription.state is subscriptions.State.FAILED
        return cls(
            jid=subscription.jid,
            name=kept_text(name),
            account=account,
            priority=subscription.priority,
            state=subscription.state,
            attempts=subscription.attempts,
            subscribed_at=instant_or_never(subscription.subscribed),
            retry_at=instant_or_never(subscription.due) if failed else None,
        )


class ReasonedSubscription(Subscription):
    """A subscription, and who asked for it."""

    by_name: bool = Field(description="whether the contact itself was named")
    groups: list[str] = Field(description="the tracked groups that it is in", examples=[["120363400902171371@g.us"]])

    @classmethod
    def because(cls, account: str, name: str, subscription: subscriptions.Subscription, sources: Sequence[str]) -> Self:
        """Args: sources: those of the wishes; BY_NAME, or a group's jid."""
        plain = Subscription.of(account, name, subscription).model_dump()
        groups = sorted(source for source in sources if source != BY_NAME)
        return cls(**plain, by_name=BY_NAME in sources, groups=groups)


class SubscriptionStats(BaseModel):
    """The figures of seed 001."""

    total_subscriptions: int = Field(examples=[250])
    active: int = Field(examples=[230])
    stale: int = Field(examples=[15])
    failed: int = Field(examples=[5])
    queue_length: int = Field(examples=[0], description="who waits to be subscribed, the stale ones among them")

    @classmethod
    def of(cls, stats: subscriptions.Stats) -> Self:
        return cls(
            total_subscriptions=stats.total_subscriptions,
            active=stats.active,
            stale=stats.stale,
            failed=stats.failed,
            queue_length=stats.queue_length,
        )


Preset = Literal["small", "medium", "large", "careful"]


class Pace(BaseModel):
    """How fast contacts are subscribed."""

    batch_size: int
    batch_delay_seconds: float
    subscription_delay_seconds: float
    preset: str | None = Field(description="the name of this pace, if it has one")
    per_minute: float | None = Field(description="contacts a minute; null for no limit", examples=[133.3])

    @classmethod
    def of(cls, pace: pacing.Pace) -> Self:
        return cls(
            batch_size=pace.batch,
            batch_delay_seconds=pace.rest,
            subscription_delay_seconds=pace.gap,
            preset=next((name for name, preset in pacing.PRESETS.items() if preset == pace), None),
            per_minute=round(pace.per_minute, 1) if isfinite(pace.per_minute) else None,
        )


class PaceChange(Strict):
    """A preset, or numbers, or a preset with numbers in its place. What is not given stays."""

    preset: Preset | None = None
    batch_size: int | None = None
    batch_delay_seconds: Annotated[float | None, Field(allow_inf_nan=False)] = None
    subscription_delay_seconds: Annotated[float | None, Field(allow_inf_nan=False)] = None

    def applied(self, present: pacing.Pace) -> pacing.Pace:
        """Raises InvalidSettings."""
        base = present if self.preset is None else pacing.PRESETS[self.preset]
        batch, rest, gap = self.batch_size, self.batch_delay_seconds, self.subscription_delay_seconds
        return pacing.Pace(
            batch=base.batch if batch is None else batch,
            rest=base.rest if rest is None else rest,
            gap=base.gap if gap is None else gap,
        )


class Group(BaseModel):
    """A group that an account is in, and whether its members are tracked."""

    jid: str = Field(examples=["120363400902171371@g.us"])
    name: str
    tracked: bool


class TrackedGroup(BaseModel):
    """A group whose members are tracked."""

    jid: str
    name: str
    account: str
    priority: int

    @classmethod
    def of(cls, group: WatchedGroup) -> Self:
        return cls(jid=group.jid, name=kept_text(group.name), account=group.account, priority=group.priority)
