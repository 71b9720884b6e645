# SPDX-License-Identifier: Apache-2.0
"""The shape of what REST says and hears about webhooks. A secret is in no answer but those that make one."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, Field, SecretStr

from wigwag.adapters.rest.answers import instant, instant_or_never
from wigwag.adapters.rest.schemas import Strict
from wigwag.domain import webhooks as domain
from wigwag.domain.addresses import LONGEST_URL
from wigwag.domain.outbox import Event
from wigwag.domain.signing import body, webhook_id
from wigwag.domain.texts import LONGEST

DAY = 86_400

Url = Annotated[str, Field(max_length=LONGEST_URL, examples=["https://example.com/hooks/wigwag"])]
Events = Annotated[
    list[Annotated[str, Field(max_length=64)]],
    Field(min_length=1, max_length=50, examples=[["message.*", "account.changed"]], description="kinds, or patterns"),
]
Accounts = Annotated[
    list[Annotated[str, Field(max_length=64)]], Field(max_length=100, description="of these accounts; empty for all")
]
Description = Annotated[str, Field(max_length=LONGEST)]
Concurrency = Annotated[
    int, Field(ge=1, le=domain.MOST_CONCURRENCY, description="deliveries at once, if it is not ordered")
]
OwnSecret = Annotated[
    SecretStr | None, Field(description="`whsec_` and the base64 of 24 to 64 bytes; left out, one is made")
]


class NewEndpoint(Strict):
    """Who wants to hear of what."""

    url: Url
    events: Events = Field(["*"])
    accounts: Accounts = Field([])
    description: Description = ""
    enabled: bool = True
    ordered: bool = Field(False, description="one delivery at a time, in the order of events")
    concurrency: Concurrency = domain.CONCURRENCY
    secret: OwnSecret = None

    def wish(self) -> domain.Wish:
        return _wish(self.model_dump(exclude={"secret"}))


class EndpointChange(Strict):
    """What is not given stays."""

    url: Url = ""
    events: Events = Field(["*"])
    accounts: Accounts = Field([])
    description: Description = ""
    enabled: bool = True
    ordered: bool = False
    concurrency: Concurrency = domain.CONCURRENCY

    def applied(self, present: domain.Endpoint) -> domain.Wish:
        now = {name: getattr(present, name) for name in type(self).model_fields}
        return _wish(now | self.model_dump(exclude_unset=True))


def _wish(values: dict[str, Any]) -> domain.Wish:
    return domain.Wish(**values | {"events": tuple(values["events"]), "accounts": tuple(values["accounts"])})


class Rotation(Strict):
    keep_seconds: float = Field(
        domain.ROTATION, ge=0, le=30 * DAY, description="for so long, the secret before signs too"
    )
    secret: OwnSecret = None


class Since(Strict):
    since: AwareDatetime = Field(examples=["2026-01-31T08:00:00Z"])
    delivered: bool = Field(False, description="also what was delivered, not only what failed or was missed")


class Queued(BaseModel):
    queued: int = Field(description="deliveries that are tried now")


class Endpoint(BaseModel):
    """An endpoint, and how it stands."""

    id: str = Field(examples=["wh_kqjhmnbvpoiuytre"])
    url: str
    events: list[str]
    accounts: list[str]
    description: str
    enabled: bool
    ordered: bool
    concurrency: int
    created: datetime
    state: str = Field(examples=["working", "failing", "disabled"])
    reason: str = Field(description="why it is disabled: `gone` (it answered 410), `failing` (for five days), or empty")
    failures: int = Field(description="in a row")
    failing_since: datetime | None
    next_attempt_after: datetime | None = Field(description="nothing is sent to it before")
    waiting: int = Field(description="deliveries that wait for it")
    old_secret_until: datetime | None = Field(description="until when the secret before signs too")

    @classmethod
    def of(cls, endpoint: domain.Endpoint, waiting: int, **more: Any) -> Self:
        same: Any = ("id", "url", "description", "enabled", "ordered", "concurrency", "reason", "failures")
        return cls(
            **{name: getattr(endpoint, name) for name in same},
            events=list(endpoint.events),
            accounts=list(endpoint.accounts),
            created=instant(endpoint.created),
            state=endpoint.condition,
            failing_since=instant_or_never(endpoint.failing_since),
            next_attempt_after=instant_or_never(endpoint.not_before),
            waiting=waiting,
            old_secret_until=instant_or_never(endpoint.secrets[1].until if len(endpoint.secrets) > 1 else None),
            **more,
        )


class EndpointWithSecret(Endpoint):
    """An endpoint with its new secret, which is shown this once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class Try(BaseModel):
    """One attempt."""

    at: datetime
    status: int | None = Field(description="of the answer; null if none came")
    seconds: float
    code: str = Field(examples=["", "unavailable", "invalid_url"], description="why no answer came")
    detail: str


class Delivery(BaseModel):
    """One event on its way to one endpoint."""

    id: str = Field(examples=["wh_kqjhmnbvpoiuytre-4711"])
    endpoint: str
    type: str = Field(examples=["message.received"])
    webhook_id: str = Field(description="what the endpoint gets as `webhook-id`")
    state: str = Field(examples=["pending", "delivered", "failed"])
    attempts: int = Field(description="since it was queued, or replayed")
    created: datetime
    next_attempt: datetime | None
    last: Try | None = Field(description="the latest attempt")

    @classmethod
    def of(cls, delivery: domain.Delivery, **more: Any) -> Self:
        tries = [_try(one) for one in delivery.tries[-1:]]
        pending = delivery.state is domain.State.PENDING
        return cls(
            id=delivery.id,
            endpoint=delivery.endpoint,
            type=delivery.kind,
            webhook_id=webhook_id(delivery.event),
            state=delivery.state,
            attempts=delivery.attempts,
            created=instant(delivery.created),
            next_attempt=instant(delivery.due) if pending else None,
            last=tries[0] if tries else None,
            **more,
        )


class WholeDelivery(Delivery):
    """A delivery with what it tells and all that was tried."""

    body: str = Field(description="the very text that is sent and signed")
    tries: list[Try] = Field(description=f"the latest {domain.KEPT_TRIES}, oldest first")

    @classmethod
    def seen(cls, delivery: domain.Delivery, event: Event) -> Self:
        return cls.of(delivery, body=body(event).decode(), tries=[_try(one) for one in delivery.tries])


class DeliveryPage(BaseModel):
    """Deliveries, newest event first."""

    deliveries: list[Delivery]
    next: int | None = Field(description="`before` of the next page; null on the last one")


def _try(tried: domain.Try) -> Try:
    return Try(
        at=instant(tried.at),
        status=tried.status,
        seconds=round(tried.seconds, 3),
        code=tried.code,
        detail=tried.detail,
    )
