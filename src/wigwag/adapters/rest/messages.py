# SPDX-License-Identifier: Apache-2.0
"""What we send, and how far it is: /api/messages."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Response

from wigwag.adapters.rest import drafts
from wigwag.adapters.rest import message_schemas as schemas
from wigwag.adapters.rest.doorstep import LARGEST_BODY
from wigwag.adapters.rest.examples import DRAFTS
from wigwag.adapters.rest.here import TheGateway, problems
from wigwag.app.gateway import Gateway
from wigwag.app.ports import JobFilter
from wigwag.domain import traces
from wigwag.domain.contents import Kind
from wigwag.domain.delivery import State
from wigwag.domain.media import LIMITS

LARGEST_DRAFT = LARGEST_BODY + LIMITS[Kind.IMAGE] // 3 * 4 + 4  # bytes, with media in base64; documents are uploaded
MOST, DEFAULT = 500, 50  # messages in a page

router = APIRouter(prefix="/api/messages", tags=["messages"])

Limit = Annotated[int, Query(ge=1, le=MOST, description="at most so many")]


@router.post("", status_code=202, responses=problems(400, 404, 409, 413, 422, 503))
async def send_message(
    draft: Annotated[drafts.Draft, Body(openapi_examples=DRAFTS)],
    response: Response,
    gateway: TheGateway,
    idempotency_key: Annotated[str | None, Header(description="the same key and body is the same message")] = None,
    traceparent: Annotated[str | None, Header(description="W3C Trace Context, to go along with the message")] = None,
) -> schemas.Job:
    """Take a message in. It is on disk when the answer comes, and goes out when it is due and the account has a link.

    A repeat with the same Idempotency-Key gets the same message, and the header `Idempotency-Replayed: true`.
    """
    media_id = await _media_id(draft, gateway)
    wish = draft.value(media_id=media_id, key=idempotency_key, trace=_trace(traceparent))
    job, is_new = await gateway.messages.send(wish)
    response.headers["Location"] = f"/api/messages/{job.id}"
    if not is_new:
        response.headers["Idempotency-Replayed"] = "true"
    return schemas.Job.of(job)


async def _media_id(draft: drafts.Draft, gateway: Gateway) -> str:
    """Under which id the media are kept; "" where there are none, or only a URL."""
    if draft.media is None:
        return ""
    if draft.media.base64 is None:
        return draft.media.id or ""
    return await gateway.messages.keep_media(draft.media.data(draft.media_kind))


def _trace(traceparent: str | None) -> str | None:
    """One that is malformed is as good as none (W3C Trace Context)."""
    return traceparent if traces.parse(traceparent) else None


@router.get("", responses=problems(404, 422, 503))
async def list_messages(
    gateway: TheGateway,
    state: Annotated[list[State], Query(description="in one of these states; may be repeated")] = [],  # noqa: B006
    account: str | None = None,
    to: Annotated[str | None, Query(max_length=64, description="phone number, jid, or a group's jid")] = None,
    scheduled: Annotated[bool | None, Query(description="only those that were asked for later, or the others")] = None,
    before: Annotated[int | None, Query(ge=1, description="`next` of the page before")] = None,
    limit: Limit = DEFAULT,
) -> schemas.JobPage:
    """What we sent or want to send, newest first."""
    if account is not None:
        gateway.account(account)
    wanted = JobFilter(account=account, states=tuple(state), scheduled=scheduled, before=before)
    found = await gateway.messages.jobs(wanted, limit + 1, to=to)
    page = found[:limit]
    following = page[-1].place if len(found) > limit else None
    return schemas.JobPage(messages=[schemas.Job.of(job) for job in page], next=following)


@router.get("/stats", responses=problems(503))
async def message_stats(gateway: TheGateway) -> schemas.JobStats:
    """How many messages are in each state, over all accounts."""
    return schemas.JobStats.of(await gateway.messages.job_counts())


@router.get("/{id}", responses=problems(404, 503))
async def get_message(id: str, gateway: TheGateway) -> schemas.JobWithReceipts:  # noqa: A002
    """One message, and who got, read or played it."""
    job = await gateway.messages.job(id)
    return schemas.JobWithReceipts.seen(job, await gateway.messages.receipts(id))


@router.post("/{id}/cancel", responses=problems(404, 409, 503))
async def cancel_message(id: str, gateway: TheGateway) -> schemas.Job:  # noqa: A002
    """Take a message back that was not sent yet, or give one up that is unconfirmed."""
    return schemas.Job.of(await gateway.messages.cancel(id))


@router.delete("/{id}", responses=problems(404, 409, 503))
async def delete_message(id: str, gateway: TheGateway) -> schemas.Job:  # noqa: A002
    """The same as cancel. The message stays listed, as cancelled."""
    return schemas.Job.of(await gateway.messages.cancel(id))


@router.post("/{id}/retry", responses=problems(404, 409, 503))
async def retry_message(id: str, gateway: TheGateway) -> schemas.Job:  # noqa: A002
    """Try a failed or unconfirmed message again. An unconfirmed one may then arrive twice."""
    return schemas.Job.of(await gateway.messages.retry(id))
