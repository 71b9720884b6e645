# SPDX-License-Identifier: Apache-2.0
"""Whom to track, and how fast to ask WhatsApp: /api/subscriptions (seed 001) and /api/groups."""

from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from wigwag.adapters.rest import subscription_schemas as schemas
from wigwag.adapters.rest.answers import stream
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.app.gateway import Gateway
from wigwag.domain.errors import NotFound
from wigwag.domain.ids import Jid
from wigwag.domain.subscriptions import Plan, State, Subscription

router = APIRouter(prefix="/api", tags=["subscriptions"])

Row = tuple[str, str, Subscription]
"""Account, the contact's name, and its subscription."""


@router.get("/subscriptions", response_model=list[schemas.Subscription], responses=problems(404, 422))
async def list_subscriptions(
    gateway: TheGateway, account: str | None = None, state: State | None = None
) -> StreamingResponse:
    """All subscriptions, of one account or in one state if asked so."""
    if account is not None:
        gateway.account(account)
    plans = {name: plan for name, plan in gateway.plans().items() if account in (None, name)}
    found = (row for row in _rows(gateway, plans) if state in (None, row[2].state))
    return stream(found, _view, schemas.Subscription)


def _rows(gateway: Gateway, plans: dict[str, Plan]) -> Iterator[Row]:
    for account, plan in plans.items():
        for subscription in plan.subscriptions():
            yield account, _name(gateway, subscription.jid), subscription


def _view(row: Row) -> schemas.Subscription:
    return schemas.Subscription.of(*row)


def _name(gateway: Gateway, jid: Jid) -> str:
    try:
        return gateway.presence(jid).name
    except NotFound:  # untracked since the list began
        return ""


@router.post(
    "/subscriptions",
    status_code=201,
    response_model=list[schemas.Subscription],
    responses=problems(400, 404, 409, 422, 503),
)
async def track(wish: schemas.Wish, gateway: TheGateway) -> StreamingResponse:
    """Track contacts by name. They are queued, most urgent first. Asking twice is the same as asking once."""
    jids = await gateway.track(wish.pairs(), priority=wish.priority, account=wish.account)
    return stream(_rows_of(gateway, dict.fromkeys(jids)), _view, schemas.Subscription, status=201)


def _rows_of(gateway: Gateway, jids: Iterable[Jid]) -> Iterator[Row]:
    plans = gateway.plans()
    for jid in jids:
        for account, plan in plans.items():
            if (subscription := plan.get(jid)) is not None:
                yield account, _name(gateway, jid), subscription


@router.get("/subscriptions/stats")
async def subscription_stats(gateway: TheGateway) -> schemas.SubscriptionStats:
    """The figures of seed 001, over all accounts."""
    return schemas.SubscriptionStats.of(gateway.subscription_stats())


@router.get("/subscriptions/pace")
async def get_pace(gateway: TheGateway) -> schemas.Pace:
    """How fast contacts are subscribed."""
    return schemas.Pace.of(gateway.pace())


@router.put("/subscriptions/pace", responses=problems(400, 422, 503))
async def set_pace(change: schemas.PaceChange, gateway: TheGateway) -> schemas.Pace:
    """Change that while running. It outlives a restart."""
    await gateway.configure(change.applied(gateway.pace()))
    return schemas.Pace.of(gateway.pace())


@router.get("/subscriptions/groups", tags=["groups"])
async def list_tracked_groups(gateway: TheGateway) -> list[schemas.TrackedGroup]:
    """The groups whose members are tracked."""
    return [schemas.TrackedGroup.of(group) for group in gateway.tracked_groups()]


@router.post("/subscriptions/groups", status_code=201, tags=["groups"], responses=problems(400, 404, 409, 422, 503))
async def track_group(wish: schemas.GroupWish, gateway: TheGateway) -> schemas.TrackedGroup:
    """Track whoever is in a group, now and later."""
    group = await gateway.track_group(wish.group, priority=wish.priority, account=wish.account)
    return schemas.TrackedGroup.of(group)


@router.delete(
    "/subscriptions/groups/{group}",
    status_code=204,
    response_class=Response,
    tags=["groups"],
    responses=problems(404, 422, 503),
)
async def untrack_group(group: str, gateway: TheGateway) -> None:
    """Stop that. Members who are wanted otherwise stay."""
    await gateway.untrack_group(group)


@router.get("/subscriptions/groups/{group}", tags=["groups"], responses=problems(404, 422))
async def list_members(group: str, gateway: TheGateway) -> list[str]:
    """The contacts that are tracked through a group, by jid."""
    return [str(jid) for jid in gateway.members(group)]


@router.get("/subscriptions/{jid}", responses=problems(404, 422))
async def get_subscription(jid: str, gateway: TheGateway) -> schemas.ReasonedSubscription:
    """Where the subscription of one contact stands, and who asked for it."""
    contact = gateway.presence(jid)
    subscription = gateway.plans()[contact.account].get(contact.jid)
    if subscription is None:
        raise NotFound("This contact is not tracked.")
    sources = [watch.source for watch in gateway.wishes(jid)]
    return schemas.ReasonedSubscription.because(contact.account, contact.name, subscription, sources)


@router.delete("/subscriptions/{jid}", status_code=204, response_class=Response, responses=problems(404, 422, 503))
async def untrack(jid: str, gateway: TheGateway) -> None:
    """Withdraw the wish to track a contact by name.

    Its history stays until it is too old; erase the contact to be rid of that too.
    """
    await gateway.untrack(jid)


@router.get("/groups", tags=["groups"], responses=problems(404, 409, 503))
async def list_groups(gateway: TheGateway, account: str | None = None) -> list[schemas.Group]:
    """The groups that an account is in."""
    tracked = {group.jid for group in gateway.tracked_groups()}
    joined = await gateway.groups(account)
    return [schemas.Group(jid=jid, name=name, tracked=jid in tracked) for jid, name in joined.items()]
