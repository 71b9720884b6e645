# SPDX-License-Identifier: Apache-2.0
"""The admin API under `/sim`: JSON in and out, one route for each method of `Controls`.

A body that is not as its model says is answered 422 with the places that are wrong; what does not exist 404; a QR code
or code that leads to nothing 409.
"""

import base64
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from wigwag.simulator import bodies
from wigwag.simulator.answering import ReceiptPolicy
from wigwag.simulator.controls import Controls
from wigwag.simulator.linking import LinkError
from wigwag.simulator.media_store import MediaGone, UnknownMedia
from wigwag.simulator.world import Group, Person, UnknownPerson

_MOST_LINES = 10_000


def routes(controls: Controls) -> list[Route]:
    """Every path with its methods."""
    api = _Api(controls)
    table: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/trust", api.trust),
        ("POST", "/scan", api.scan),
        ("POST", "/scan_code", api.scan_code),
        ("GET", "/accounts", api.accounts),
        ("GET", "/contacts", api.contacts),
        ("POST", "/contacts", api.put_contacts),
        ("PUT", "/contacts/{phone}", api.put_contact),
        ("POST", "/contacts/{phone}/presence", api.set_presence),
        ("PUT", "/contacts/{phone}/presence", api.set_presence),
        ("POST", "/contacts/{phone}/typing", api.type),
        ("POST", "/contacts/{phone}/messages", api.send),
        ("DELETE", "/contacts/{phone}/keys", api.reset_keys),
        ("POST", "/contacts/{phone}/calls", api.call),
        ("DELETE", "/contacts/{phone}/calls/{id}", api.hang_up),
        ("PUT", "/contacts/{phone}/receipts", api.set_receipts_of),
        ("DELETE", "/contacts/{phone}/receipts", api.unset_receipts_of),
        ("GET", "/groups", api.groups),
        ("PUT", "/groups/{id}", api.put_group),
        ("GET", "/inbox", api.lines("inbox")),
        ("GET", "/inbox/{id}/media", api.received_media),
        ("GET", "/subscriptions", api.lines("subscriptions")),
        ("GET", "/receipts", api.lines("receipts")),
        ("PUT", "/receipts", api.set_receipts),
        ("POST", "/receipts/release", api.release_receipts),
        ("GET", "/log", api.lines("log")),
        ("GET", "/counts", api.counts),
        ("PUT", "/journal", api.keep),
        ("GET", "/limits", api.limits),
        ("PUT", "/limits", api.set_limits),
        ("POST", "/faults", api.inject),
        ("GET", "/faults", api.faults),
        ("DELETE", "/faults", api.clear_faults),
        ("POST", "/rhythm", api.start_rhythm),
        ("DELETE", "/rhythm", api.stop_rhythm),
    ]
    return [Route(f"/sim{path}", endpoint, methods=[method]) for method, path, endpoint in table]


class _Api:
    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    async def trust(self, _request: Request) -> Response:
        return JSONResponse({"root_key": self._controls.root_key.hex(), "certificate": self._controls.certificate})

    async def scan(self, request: Request) -> Response:
        body = await _body(request, bodies.Scan)
        return _json(await self._controls.scan(body.qr, body.phone))

    async def scan_code(self, request: Request) -> Response:
        body = await _body(request, bodies.ScanCode)
        return _json(await self._controls.scan_code(body.phone, body.code))

    async def accounts(self, _request: Request) -> Response:
        exchange = self._controls.exchange
        return _json([_account(person, exchange.streams) for person in exchange.world.accounts()])

    async def contacts(self, _request: Request) -> Response:
        return _json([_contact(person) for person in self._controls.exchange.world.people.values()])

    async def put_contacts(self, request: Request) -> Response:
        contacts = TypeAdapter(list[bodies.NumberedContact]).validate_json(await request.body())
        for contact in contacts:
            self._controls.put_contact(**contact.model_dump())
        return JSONResponse({"contacts": len(contacts)})

    async def put_contact(self, request: Request) -> Response:
        body = await _body(request, bodies.Contact)
        return _json(_contact(self._controls.put_contact(_phone(request), **body.model_dump())))

    async def set_presence(self, request: Request) -> Response:
        body, phone = await _body(request, bodies.Presence), _phone(request)
        await self._controls.set_presence(phone, online=body.online, last_seen=body.last_seen)
        return _json(_contact(self._controls.exchange.world.person(phone)))

    async def type(self, request: Request) -> Response:
        body = await _body(request, bodies.Typing)
        await self._controls.type(_phone(request), body.state, body.media)
        return Response(status_code=204)

    async def send(self, request: Request) -> Response:
        """A contact writes: what it says, by kind and fields as the inbox has them, or a whole message as `raw`."""
        body, phone = await _body(request, bodies.Message), _phone(request)
        where = {"group": body.group, "account": body.account}
        if body.raw is None:
            return _json({"id": await self._controls.send(phone, body.content(), file=body.file, **where)})
        message = base64.b64decode(body.raw, validate=True)
        return _json({"id": await self._controls.send_message(phone, message, **where)})

    async def reset_keys(self, request: Request) -> Response:
        self._controls.reset_keys(_phone(request))
        return Response(status_code=204)

    async def call(self, request: Request) -> Response:
        body = await _body(request, bodies.Call)
        return _json({"id": await self._controls.call(_phone(request), body.account, video=body.video)})

    async def hang_up(self, request: Request) -> Response:
        body = await _body(request, bodies.HangUp)
        await self._controls.hang_up(_phone(request), request.path_params["id"], body.account)
        return Response(status_code=204)

    async def received_media(self, request: Request) -> Response:
        """The file itself, as the client had it before it was encrypted."""
        file = self._controls.received_media(request.path_params["id"])
        return Response(file, media_type="application/octet-stream")

    async def groups(self, _request: Request) -> Response:
        return _json([_group(group) for group in self._controls.exchange.world.groups.values()])

    async def put_group(self, request: Request) -> Response:
        body = await _body(request, bodies.Group)
        group_id = TypeAdapter(bodies.GroupId).validate_python(request.path_params["id"].removesuffix("@g.us"))
        return _json(_group(await self._controls.put_group(group_id, **body.model_dump())))

    def lines(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """Lines of a part of the journal, oldest first; other parameters say what a field of theirs must be.

        The newest (`?limit=`, 10,000); with `?after=`, a sequence number, the first ones after it.
        """

        async def endpoint(request: Request) -> Response:
            wanted = dict(request.query_params)
            after = TypeAdapter(int | None).validate_python(wanted.pop("after", None))
            limit = TypeAdapter(bodies.Limit).validate_python(wanted.pop("limit", _MOST_LINES))
            return _json(self._controls.journal.select(name, after=after, limit=limit, wanted=wanted))

        return endpoint

    async def counts(self, _request: Request) -> Response:
        """All there was since the start, whatever the journal has dropped."""
        counts, exchange = self._controls.journal.counts, self._controls.exchange
        return _json(
            {
                "messages": sum(counts.messages.values()),
                "by_account": counts.by(0),
                "by_phone": counts.by(1),
                "by_kind": counts.by(2),
                "events": counts.events,
                "receipts_sent": counts.receipts_sent,
                "receipts_received": counts.receipts_received,
                "receipts_held": len(exchange.answering.held),
            }
        )

    async def keep(self, request: Request) -> Response:
        body = await _body(request, bodies.Keep)
        self._controls.journal.limit(body.keep)
        return _json({"keep": self._controls.journal.keep})

    async def limits(self, _request: Request) -> Response:
        return _json(self._controls.exchange.gate.limits)

    async def set_limits(self, request: Request) -> Response:
        """Only what the body names is changed."""
        body = await _body(request, bodies.Limits)
        named = body.model_dump(exclude_unset=True)
        self._controls.set_limits(dataclasses.replace(self._controls.exchange.gate.limits, **named))
        return _json(self._controls.exchange.gate.limits)

    async def set_receipts(self, request: Request) -> Response:
        policy = ReceiptPolicy(**(await _body(request, bodies.Receipts)).model_dump())
        self._controls.set_receipts(policy)
        return _json(policy)

    async def set_receipts_of(self, request: Request) -> Response:
        policy = ReceiptPolicy(**(await _body(request, bodies.Receipts)).model_dump())
        self._controls.set_receipts(policy, _phone(request))
        return _json(policy)

    async def unset_receipts_of(self, request: Request) -> Response:
        self._controls.unset_receipts(_phone(request))
        return Response(status_code=204)

    async def release_receipts(self, request: Request) -> Response:
        body = await _body(request, bodies.Release)
        return _json({"released": await self._controls.release_receipts(body.phone, body.account)})

    async def inject(self, request: Request) -> Response:
        body = await _body(request, bodies.Fault)
        await self._controls.inject(**body.model_dump())
        return Response(status_code=204)

    async def faults(self, _request: Request) -> Response:
        return _json(self._controls.exchange.faults.active)

    async def clear_faults(self, _request: Request) -> Response:
        self._controls.clear_faults()
        return Response(status_code=204)

    async def start_rhythm(self, request: Request) -> Response:
        body = await _body(request, bodies.Rhythm)
        self._controls.start_rhythm(body.speed, body.phones)
        return Response(status_code=204)

    async def stop_rhythm(self, _request: Request) -> Response:
        self._controls.stop_rhythm()
        return Response(status_code=204)


async def _body(request: Request, model: type[bodies.Model]) -> bodies.Model:
    return model.model_validate_json(await request.body() or b"{}")


def _phone(request: Request) -> str:
    phone: str = TypeAdapter(bodies.Phone).validate_python(request.path_params["phone"])
    return phone


def _contact(person: Person) -> dict[str, Any]:
    seen = None if person.last_seen is None else datetime.fromtimestamp(person.last_seen, UTC)
    names = ("phone", "lid", "aliases", "name", "about", "online", "last_seen_visible", "addressed_by_lid")
    return {**{name: getattr(person, name) for name in names}, "last_seen": seen}


def _account(person: Person, streams: Any) -> dict[str, Any]:
    devices = []
    for device in person.devices.values():
        stream = streams.get(device)
        devices.append(
            {
                "device": device.number,
                "jid": str(device.jid),
                "connected": stream is not None,
                "available": bool(stream and stream.available),
                "subscriptions": len(stream.subscriptions) if stream else 0,
                "queued": len(device.unacknowledged),
                "prekeys": len(device.one_time),
            }
        )
    return {"phone": person.phone, "lid": person.lid, "name": person.name, "devices": devices}


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "jid": str(group.jid),
        "subject": group.subject,
        "participants": [person.phone for person in group.participants],
        "admins": [person.phone for person in group.admins],
        "by_lid": group.by_lid,
    }


def _json(value: Any) -> Response:
    return Response(TypeAdapter(Any).dump_json(value), media_type="application/json")


def _invalid(_request: Request, error: ValidationError) -> Response:
    places = [{"where": ".".join(map(str, e["loc"])), "what": e["msg"]} for e in error.errors(include_url=False)]
    return JSONResponse({"error": "the request is not as it should be", "places": places}, status_code=422)


def _answer(status: int) -> Callable[[Request, Exception], Response]:
    def handler(_request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error.args[0] if error.args else error)}, status_code=status)

    return handler


EXCEPTION_HANDLERS: dict[Any, Any] = {
    ValidationError: _invalid,
    UnknownPerson: _answer(404),
    UnknownMedia: _answer(404),
    MediaGone: _answer(410),
    LinkError: _answer(409),
    ValueError: _answer(422),
}
