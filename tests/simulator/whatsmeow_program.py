# SPDX-License-Identifier: Apache-2.0
"""The unmodified whatsmeow library as a program of JSON lines: events on stdout, commands on stdin.

Run as `python -m tests.simulator.whatsmeow_program <simulator url> <root key, hex> <certificate> <session file>`, in a
process of its own: the library is one a process.
"""

import asyncio
import json
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wigwag.adapters.whatsapp.simulator import attach

url, root_key, certificate, session = sys.argv[1:]

from google.protobuf.json_format import MessageToDict, ParseDict  # noqa: E402
from neonize.aioze.client import NewAClient  # noqa: E402
from neonize.events import (  # noqa: E402
    CallOfferEv,
    ChatPresenceEv,
    ConnectedEv,
    DisconnectedEv,
    GroupInfoEv,
    MessageEv,
    PresenceEv,
    ReceiptEv,
)
from neonize.exc import DownloadError, SendMessageError, SendPresenceError, UploadError  # noqa: E402
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message  # noqa: E402
from neonize.utils.enum import MediaType, Presence  # noqa: E402
from neonize.utils.jid import build_jid  # noqa: E402


def tell(event: str, **fields: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def address(jid: Any) -> str:
    return f"{jid.User}@{jid.Server}"


def told_message(event: Any) -> dict[str, Any]:
    source, content = event.Info.MessageSource, MessageToDict(event.Message)
    fields = {"id": event.Info.ID, "chat": address(source.Chat), "jid": address(source.Sender), "content": content}
    return {**fields, "text": event.Message.conversation}


def told_receipt(event: Any) -> dict[str, Any]:
    source = event.MessageSource
    fields = {"chat": address(source.Chat), "jid": address(source.Sender), "kind": event.Type}
    return {**fields, "ids": list(event.MessageIDs)}


def told_group(event: Any) -> dict[str, Any]:
    joined, left = ([address(jid) for jid in who] for who in (event.Join, event.Leave))
    return {"jid": address(event.JID), "joined": joined, "left": left}


HEARD: dict[Any, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    ConnectedEv: ("connected", lambda _: {}),
    DisconnectedEv: ("disconnected", lambda _: {}),
    PresenceEv: ("presence", lambda event: {"jid": address(event.From), "online": not event.Unavailable}),
    ChatPresenceEv: ("typing", lambda event: {"jid": address(event.MessageSource.Sender)}),
    MessageEv: ("message", told_message),
    ReceiptEv: ("receipt", told_receipt),
    CallOfferEv: (
        "call",
        lambda event: {"jid": address(event.basicCallMeta.callCreator), "id": event.basicCallMeta.callID},
    ),
    GroupInfoEv: ("group", told_group),
}
"""What is told of each event, and under which name."""


def listen(client: Any) -> None:
    async def qr(_: Any, code: bytes) -> None:
        tell("qr", code=code.decode())

    async def heard(_: Any, event: Any) -> None:
        name, fields = HEARD[type(event)]
        tell(name, **fields(event))

    client.event.qr(qr)
    for kind in HEARD:
        client.event(kind)(heard)


async def obey(client: Any, command: dict[str, Any]) -> None:
    match command["do"]:
        case "code":
            tell("code", code=await client.PairPhone(command["phone"], True))
        case "available":
            with suppress(SendPresenceError):  # its name is yet to come
                await client.send_presence(Presence.AVAILABLE)
        case "subscribe":
            await client.subscribe_presence(build_jid(command["phone"]))
        case "groups":
            tell("groups", subjects=[group.GroupName.Name for group in await client.get_joined_groups()])
        case "send":
            tell("sent", id=(await client.send_message(build_jid(command["phone"]), command["text"])).ID)
        case "say":
            await say(client, command["chat"], ParseDict(command["content"], Message()))
        case "known":
            found = await client.is_on_whatsapp(*command["numbers"])
            tell("known", found=[{"query": each.Query, "jid": address(each.JID), "is": each.IsIn} for each in found])
        case "upload" | "download" as direction:
            await {"upload": upload, "download": download}[direction](client, command)
    tell("done", what=command["do"])


async def say(client: Any, chat: str, content: Any) -> None:
    user, _, server = chat.partition("@")
    try:
        tell("sent", id=(await client.send_message(build_jid(user, server), content)).ID)
    except SendMessageError as error:
        tell("unsent", why=str(error))


def contents(path: str) -> bytes:
    return Path(path).read_bytes()


async def upload(client: Any, command: dict[str, Any]) -> None:
    try:
        about = await client.upload(contents(command["file"]), MediaType[f"Media{command['kind'].capitalize()}"])
    except UploadError as error:
        tell("not_uploaded", why=str(error))
        return
    names = {"URL": "url", "directPath": "DirectPath", "fileLength": "FileLength"}
    keys = {"mediaKey": "MediaKey", "fileEncSHA256": "FileEncSHA256", "fileSHA256": "FileSHA256"}
    fields = {name: getattr(about, theirs) for name, theirs in names.items()}
    tell(
        "uploaded", fields=fields | {name: b64encode(getattr(about, theirs)).decode() for name, theirs in keys.items()}
    )


async def download(client: Any, command: dict[str, Any]) -> None:
    try:
        await client.download_any(ParseDict(command["content"], Message()), command["file"])
    except DownloadError as error:
        tell("not_downloaded", why=str(error))
    else:
        tell("downloaded", file=command["file"])


async def main() -> None:
    attach(url, bytes.fromhex(root_key), certificate)
    client = NewAClient(session)
    listen(client)
    connecting = asyncio.create_task(client.connect(), name="connect")
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        await obey(client, json.loads(line))
    await client.stop()
    connecting.cancel()


asyncio.run(main())
