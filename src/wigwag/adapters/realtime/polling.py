# SPDX-License-Identifier: Apache-2.0
"""The transport of long polling: a GET waits for what we say, a POST brings what the client says.

One of each at a time: a second GET or POST beside the first means that the client has lost count, and ends the session.
"""

import asyncio
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Receive

from wigwag.adapters.realtime.engine import Malformed, decode_payload, encode_payload
from wigwag.adapters.realtime.session import Ending, Hear, Session

_TEXT = "text/plain; charset=UTF-8"


async def say(session: Session, receive: Receive) -> Response | None:
    """Return what there is to say, as soon as there is something; None when nobody waits for it any more."""
    if session.poll is not None:
        session.end(Ending.OVERLAP)
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    if not (session.outbox or session.ended or session.probed):
        session.poll = asyncio.get_running_loop().create_future()
        try:
            if not await _still_there(session.poll, receive):
                session.end(Ending.TRANSPORT)
                return None
        finally:
            session.poll = None
    frames = session.take() if session.wire is None else []
    return Response(encode_payload(frames or [session.last_word()]), media_type=_TEXT)


async def listen(session: Session, receive: Receive, hear: Hear, largest: int) -> Response:
    """Do what the packets of a request ask for, in order."""
    if session.posting:
        session.end(Ending.OVERLAP)
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    session.posting = True
    try:
        await _listen(session, receive, hear, largest)
    finally:
        session.posting = False
    match session.ended:
        case None | Ending.GOODBYE:
            return Response(b"ok", media_type=_TEXT)
        case Ending.TOO_LARGE:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        case _:
            return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _listen(session: Session, receive: Receive, hear: Hear, largest: int) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            session.end(Ending.TRANSPORT)
            return
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > largest:
            session.end(Ending.TOO_LARGE)
            return
    try:
        for frame in decode_payload(body):
            work = hear(session, frame)
            if work is not None:
                await work
    except Malformed:
        session.end(Ending.MALFORMED)


async def _still_there(poll: asyncio.Future[None], receive: Receive) -> bool:
    """Wait for something to say, or for the client to go away."""
    leaving = asyncio.create_task(_leave(receive), name="poll leaves")
    try:
        await asyncio.wait({poll, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
    return poll.done()


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
