# SPDX-License-Identifier: Apache-2.0
"""Who is told of events, and how far that is: /api/webhooks."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from wigwag.adapters.rest import webhook_schemas as schemas
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.app.gateway import Gateway
from wigwag.app.ports import DeliveryFilter
from wigwag.domain.webhooks import ROTATION, Endpoint, State

MOST, DEFAULT = 500, 50  # deliveries in a page

router = APIRouter(prefix="/api/webhooks", tags=["webhooks"])


@router.get("")
async def list_webhooks(gateway: TheGateway) -> list[schemas.Endpoint]:
    """All endpoints, oldest first."""
    return [_shown(gateway, endpoint) for endpoint in gateway.webhooks.endpoints()]


@router.post("", status_code=201, responses=problems(400, 409, 422, 503))
async def add_webhook(new: schemas.NewEndpoint, gateway: TheGateway) -> schemas.EndpointWithSecret:
    """Tell an endpoint of what happens from now on. The answer has its secret, and no other answer will."""
    secret = new.secret.get_secret_value() if new.secret else None
    return _with_secret(gateway, await gateway.webhooks.add(new.wish(), secret))


@router.get("/{id}", responses=problems(404))
async def get_webhook(id: str, gateway: TheGateway) -> schemas.Endpoint:  # noqa: A002
    """One endpoint."""
    return _shown(gateway, gateway.webhooks.endpoint(id))


@router.patch("/{id}", responses=problems(400, 404, 422, 503))
async def change_webhook(id: str, change: schemas.EndpointChange, gateway: TheGateway) -> schemas.Endpoint:  # noqa: A002
    """Change what is given. While it is disabled, it keeps what waits and misses what happens; a replay brings that."""
    wish = change.applied(gateway.webhooks.endpoint(id))
    return _shown(gateway, await gateway.webhooks.change(id, wish))


@router.delete("/{id}", status_code=204, response_class=Response, responses=problems(404, 503))
async def remove_webhook(id: str, gateway: TheGateway) -> None:  # noqa: A002
    """Delete an endpoint and its deliveries."""
    await gateway.webhooks.remove(id)


@router.post("/{id}/rotate", responses=problems(400, 404, 422, 503))
async def rotate_webhook(
    id: str,  # noqa: A002
    gateway: TheGateway,
    rotation: schemas.Rotation | None = None,
) -> schemas.EndpointWithSecret:
    """Make another secret. The one before signs too, for a day unless said otherwise."""
    keep = ROTATION if rotation is None else rotation.keep_seconds
    own = None if rotation is None or rotation.secret is None else rotation.secret.get_secret_value()
    return _with_secret(gateway, await gateway.webhooks.rotate(id, keep=keep, secret=own))


@router.post("/{id}/test", status_code=202, responses=problems(404, 409, 503))
async def test_webhook(id: str, gateway: TheGateway) -> schemas.Delivery:  # noqa: A002
    """Send it a `webhook.test`. Look at the delivery for what came of it."""
    return schemas.Delivery.of(await gateway.webhooks.test(id))


@router.post("/{id}/enable", responses=problems(404, 503))
async def enable_webhook(id: str, gateway: TheGateway) -> schemas.Endpoint:  # noqa: A002
    """Try it again, with nothing held against it."""
    return _shown(gateway, await gateway.webhooks.enable(id))


@router.get("/{id}/deliveries", responses=problems(404, 422, 503))
async def list_deliveries(
    id: str,  # noqa: A002
    gateway: TheGateway,
    state: State | None = None,
    type: Annotated[str | None, Query(max_length=64, description="a kind of event")] = None,  # noqa: A002
    before: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = DEFAULT,
) -> schemas.DeliveryPage:
    """The deliveries to an endpoint, newest event first. They are kept for 30 days."""
    wanted = DeliveryFilter(endpoint=id, state=state, kind=type, before=before)
    found = await gateway.webhooks.deliveries(wanted, limit + 1)
    following = found[limit - 1].position if len(found) > limit else None
    return schemas.DeliveryPage(deliveries=[schemas.Delivery.of(one) for one in found[:limit]], next=following)


@router.get("/deliveries/{id}", responses=problems(404, 503))
async def get_delivery(id: str, gateway: TheGateway) -> schemas.WholeDelivery:  # noqa: A002
    """A delivery with its body and its attempts."""
    return schemas.WholeDelivery.seen(*await gateway.webhooks.delivery(id))


@router.post("/deliveries/{id}/replay", status_code=202, responses=problems(404, 503))
async def replay_delivery(id: str, gateway: TheGateway) -> schemas.Delivery:  # noqa: A002
    """Deliver it once more, with the same `webhook-id`."""
    return schemas.Delivery.of(await gateway.webhooks.replay(id))


@router.post("/{id}/replay", status_code=202, responses=problems(400, 404, 422, 503))
async def replay_webhook(id: str, since: schemas.Since, gateway: TheGateway) -> schemas.Queued:  # noqa: A002
    """Deliver what the endpoint missed since an instant: what failed, and what was never queued for it."""
    at = since.since.timestamp()
    return schemas.Queued(queued=await gateway.webhooks.replay_since(id, at, delivered=since.delivered))


def _shown(gateway: Gateway, endpoint: Endpoint) -> schemas.Endpoint:
    return schemas.Endpoint.of(endpoint, gateway.webhooks.backlog().get(endpoint.id, 0))


def _with_secret(gateway: Gateway, endpoint: Endpoint) -> schemas.EndpointWithSecret:
    waiting = gateway.webhooks.backlog().get(endpoint.id, 0)
    return schemas.EndpointWithSecret.of(endpoint, waiting, secret=endpoint.secrets[0].text)
