# SPDX-License-Identifier: Apache-2.0
"""Users of the host application: who they are, whom they know, who may see what, and who is online: /api/users.

The one who asks is the operator, from whom nothing is hidden, unless they ask as a user.
"""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from wigwag.adapters.rest import user_schemas as schemas
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.adapters.rest.messages import DEFAULT, Limit
from wigwag.adapters.rest.schemas import Presence
from wigwag.app.gateway import Gateway
from wigwag.app.ports import User
from wigwag.domain.errors import NotFound
from wigwag.domain.ids import Jid, contact_jid
from wigwag.domain.users import UserId, View, user_id

_NOBODY = "There is no such user."

router = APIRouter(prefix="/api/users", tags=["users"])


async def _user(id: str) -> UserId:  # noqa: A002
    """The id in the path. Raises InvalidUser."""
    return user_id(id)


TheUser = Annotated[UserId, Depends(_user)]
AsUser = Annotated[str | None, Query(alias="as", description="as this user may see it; left out: all of it")]


@router.get("", responses=problems(422, 503))
async def list_users(
    gateway: TheGateway,
    after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Limit = DEFAULT,
) -> schemas.UserPage:
    """All users, in the order of their ids as texts."""
    found = await gateway.users.find(None if after is None else user_id(after), limit + 1)
    page = found[:limit]
    following = page[-1].id if len(found) > limit else None
    return schemas.UserPage(users=[schemas.User.of(user) for user in page], next=following)


@router.get("/stats")
async def user_stats(gateway: TheGateway) -> schemas.UserStats:
    """How many users are here."""
    return schemas.UserStats(active_users_count=gateway.lobby.active_users_count())


@router.get("/presence", responses=problems(422, 503))
async def list_user_presences(
    gateway: TheGateway,
    user: Annotated[list[str], Query(min_length=1, max_length=500, description="may be repeated")],
    asker: AsUser = None,
) -> list[schemas.ShownUser]:
    """Whether users are online here, in the order asked. Who is not known is offline."""
    seen_by = None if asker is None else user_id(asker)
    views = await gateway.lobby.view(seen_by, [user_id(each) for each in user])
    return [schemas.ShownUser.of(view) for view in views]


@router.get("/{id}", responses=problems(404, 422, 503))
async def get_user(user: TheUser, gateway: TheGateway) -> schemas.User:
    """One user."""
    return schemas.User.of(await _known(gateway, user))


@router.put("/{id}", responses=problems(400, 409, 422, 503))
async def put_user(user: TheUser, wish: schemas.UserWish, gateway: TheGateway) -> schemas.User:
    """Create a user, or change all that is known of one. Contacts and presence stay."""
    await gateway.users.put([wish.user(user)])
    await gateway.lobby.refresh(user)
    return schemas.User.of(await _known(gateway, user))


@router.delete("/{id}", status_code=204, response_class=Response, responses=problems(404, 422, 503))
async def remove_user(user: TheUser, gateway: TheGateway) -> None:
    """Forget a user, with contacts and presence."""
    if not await gateway.users.remove(user):
        raise NotFound(_NOBODY)
    await gateway.lobby.forget(user)
    await gateway.grants.revoke(user, [])


@router.put("/{id}/contacts", status_code=204, response_class=Response, responses=problems(400, 404, 422, 503))
async def add_contacts(user: TheUser, wish: schemas.Contacts, gateway: TheGateway) -> None:
    """These people have chatted with the user, so each is a contact of the other. Others stay contacts too."""
    await _known(gateway, user)
    await gateway.users.add_contacts(user, wish.contacts)
    await _refresh(gateway, user, wish.contacts)


@router.delete("/{id}/contacts", status_code=204, response_class=Response, responses=problems(404, 422, 503))
async def remove_contacts(
    user: TheUser,
    gateway: TheGateway,
    contact: Annotated[list[str], Query(min_length=1, max_length=1000, description="may be repeated")],
) -> None:
    """These people are contacts of the user no longer, nor the user of them."""
    gone = [user_id(each) for each in contact]
    await _known(gateway, user)
    await gateway.users.remove_contacts(user, gone)
    await _refresh(gateway, user, gone)


@router.get("/{id}/presence", responses=problems(404, 422, 503))
async def get_user_presence(
    user: TheUser,
    gateway: TheGateway,
    asker: AsUser = None,
) -> schemas.UserPresence:
    """Whether a user is online here, and on WhatsApp if they are linked to a contact."""
    if asker is not None:
        [view] = await gateway.lobby.view(user_id(asker), [user])
        return schemas.UserPresence.of(view)
    known = await gateway.users.get(user)
    [view] = await gateway.lobby.view(None, [user])
    if known is None and view == View(user=user):  # one of the host's own directory may have been seen
        raise NotFound(_NOBODY)
    return schemas.UserPresence.of(view).model_copy(update={"whatsapp": _whatsapp(gateway, known)})


@router.get("/{id}/grants", responses=problems(422, 503))
async def list_grants(user: TheUser, gateway: TheGateway) -> schemas.Granted:
    """Which contacts on WhatsApp a user may watch."""
    return schemas.Granted(contacts=list(await gateway.grants.granted(user)))


@router.put("/{id}/grants", status_code=204, response_class=Response, responses=problems(400, 409, 422, 503))
async def grant(user: TheUser, wish: schemas.Grants, gateway: TheGateway) -> None:
    """The user may watch these contacts too: at most 1,000 in all."""
    await gateway.grants.grant(user, [Jid(jid) for jid in wish.contacts])


@router.delete("/{id}/grants", status_code=204, response_class=Response, responses=problems(422, 503))
async def revoke(
    user: TheUser,
    gateway: TheGateway,
    contact: Annotated[list[str], Query(min_length=1, max_length=1000, description="may be repeated")],
) -> None:
    """The user may watch these contacts no longer."""
    await gateway.grants.revoke(user, [contact_jid(each) for each in contact])


async def _known(gateway: Gateway, user: UserId) -> User:
    found = await gateway.users.get(user)
    if found is None:
        raise NotFound(_NOBODY)
    return found


async def _refresh(gateway: Gateway, user: UserId, contacts: Collection[UserId]) -> None:
    for each in {user, *contacts}:
        await gateway.lobby.refresh(each)


def _whatsapp(gateway: Gateway, user: User | None) -> Presence | None:
    if user is None or user.jid is None:
        return None
    try:
        return Presence.of(gateway.presence(user.jid))
    except NotFound:  # linked, and not tracked
        return None
