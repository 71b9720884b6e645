# SPDX-License-Identifier: Apache-2.0
"""The accounts and how they are paired: /api/accounts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from wigwag.adapters.rest import qr
from wigwag.adapters.rest.answers import instant_or_never
from wigwag.adapters.rest.here import TheClock, TheGateway, problems
from wigwag.adapters.rest.schemas import Strict
from wigwag.adapters.rest.subscription_schemas import SubscriptionStats
from wigwag.app.gateway import Gateway
from wigwag.domain import account as domain
from wigwag.domain.delivery import State
from wigwag.domain.errors import StoreUnavailable
from wigwag.domain.subscriptions import Stats

router = APIRouter(prefix="/api/accounts", tags=["accounts"])

Counts = Mapping[tuple[str, State], int]
NO_PLAN = Stats(total_subscriptions=0, active=0, stale=0, failed=0, queue_length=0)


class Account(BaseModel):
    """A WhatsApp session, how its link stands, and what to do about it."""

    name: str = Field(examples=["default"])
    jid: str | None = Field(description="null until it is paired")
    state: str = Field(examples=["connected", "pairing", "transient", "replaced", "banned"])
    since: datetime | None
    until: datetime | None = Field(description="when a ban ends")
    detail: str
    advice: str = Field(description="what to do next", examples=["All is well."])
    reconnects: int
    appear: bool = Field(description="be available while anything is tracked; it silences the phone")
    subscriptions: SubscriptionStats
    messages: dict[State, int] | None = Field(
        description="how many are in each state; null while the database does not answer",
        examples=[{"accepted": 5, "sent": 40, "failed": 1, "unconfirmed": 0}],
    )
    restricted_until: datetime | None = Field(
        description="until when no first message goes to a stranger, because WhatsApp refused one (error 463)"
    )

    @classmethod
    def of(cls, account: domain.Account, gateway: Gateway, counts: Counts | None) -> Self:
        """Args: counts: of all accounts' messages; None if nobody knows."""
        plan = gateway.plans().get(account.name)
        return cls(
            name=account.name,
            jid=account.jid,
            state=account.state,
            since=instant_or_never(account.since),
            until=instant_or_never(account.until),
            detail=account.detail,
            advice=account.advice,
            reconnects=account.reconnects,
            appear=account.appear,
            subscriptions=SubscriptionStats.of(plan.stats() if plan else NO_PLAN),
            messages=None if counts is None else {state: counts.get((account.name, state), 0) for state in State},
            restricted_until=instant_or_never(gateway.restricted_until(account.name)),
        )


async def _counts(gateway: Gateway) -> Counts | None:
    try:
        return await gateway.messages.job_counts()
    except StoreUnavailable:  # whoever looks what is wrong is told all the rest
        return None


async def _told(account: domain.Account, gateway: Gateway) -> Account:
    return Account.of(account, gateway, await _counts(gateway))


class NewAccount(Strict):
    name: str = Field(examples=["sales"], description="1 to 32 small letters, digits, - or _")


class AccountChange(Strict):
    appear: bool = Field(description="be available while anything is tracked: needed to hear presences")


class Phone(Strict):
    phone: str = Field(max_length=64, examples=["+91 98765 43210"], description="the number of the account's own phone")


class PairingCode(BaseModel):
    code: str = Field(
        examples=["ABCD-1234"], description="to type on the phone: Linked devices, Link with phone number"
    )


@router.get("")
async def list_accounts(gateway: TheGateway) -> list[Account]:
    """All accounts."""
    counts = await _counts(gateway)
    return [Account.of(account, gateway, counts) for account in gateway.accounts()]


@router.post("", status_code=201, responses=problems(400, 409, 422, 503))
async def add_account(new: NewAccount, gateway: TheGateway) -> Account:
    """Begin a new account, which then offers to pair."""
    return await _told(await gateway.add_account(new.name), gateway)


@router.get("/{name}", responses=problems(404))
async def get_account(name: str, gateway: TheGateway) -> Account:
    """One account."""
    return await _told(gateway.account(name), gateway)


@router.patch("/{name}", responses=problems(400, 404, 422, 503))
async def change_account(name: str, change: AccountChange, gateway: TheGateway) -> Account:
    """Choose whether it may appear available. Takes effect on a new link, which is made at once."""
    return await _told(await gateway.set_appear(name, change.appear), gateway)


@router.delete("/{name}", status_code=204, response_class=Response, responses=problems(404, 409, 503))
async def remove_account(name: str, gateway: TheGateway) -> None:
    """Log out and forget it. Not while contacts are tracked through it."""
    await gateway.remove_account(name)


@router.post("/{name}/connect", status_code=202, responses=problems(404))
async def connect(name: str, gateway: TheGateway) -> Account:
    """Make the link now, whatever was decided before. A replaced session is taken back."""
    await gateway.connect(name)
    return await _told(gateway.account(name), gateway)


@router.post("/{name}/disconnect", responses=problems(404, 503))
async def disconnect(name: str, gateway: TheGateway) -> Account:
    """Close the link, and leave it closed until it is connected again."""
    await gateway.disconnect(name)
    return await _told(gateway.account(name), gateway)


@router.get("/{name}/qr", response_model=qr.Code, responses=qr.PICTURES | problems(404, 409, 422))
async def get_qr(
    name: str,
    request: Request,
    gateway: TheGateway,
    clock: TheClock,
    format: qr.Format | None = None,  # noqa: A002
) -> Response:
    """The code to scan now: as JSON, or as a picture for browsers and whoever asks. Ask again when it expires."""
    chosen = format or qr.preferred(request.headers.get("accept", ""))
    return qr.answer(gateway.pairing(name), chosen, clock.now())


@router.post("/{name}/pair", responses=problems(400, 404, 409, 422, 503))
async def pair_by_code(name: str, phone: Phone, gateway: TheGateway) -> PairingCode:
    """Ask for a code to type on the phone, in place of scanning."""
    return PairingCode(code=await gateway.pair_by_code(name, phone.phone))
