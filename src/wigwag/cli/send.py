# SPDX-License-Identifier: Apache-2.0
"""`wigwag send`: a text, a template or a file to a person or a group, followed to the end if one likes."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from wigwag.cli.client import HOME, AsJson, Client, Url
from wigwag.cli.follow import END, Goal, follow, looks
from wigwag.cli.jobs import Job, advice, state
from wigwag.cli.moments import told, when
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import note, say, say_json
from wigwag.cli.snapshot import instant
from wigwag.domain.contents import Kind
from wigwag.domain.errors import InvalidMessage
from wigwag.domain.media import judge

Type = Literal["image", "video", "audio", "voice", "document", "sticker"]
GUESSES = (Kind.IMAGE, Kind.VIDEO, Kind.VOICE, Kind.AUDIO)  # what is none of these is sent as a document


def send(  # noqa: PLR0913, PLR0917  each is an option
    to: Annotated[str, typer.Argument(help="A phone number with its country code, or a group's id.")],
    text: Annotated[str | None, typer.Argument(help="What to say; - is standard input.", show_default=False)] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="PATH", exists=True, dir_okay=False, help="A file to send instead.")
    ] = None,
    kind: Annotated[
        Type | None, typer.Option("--type", help="Send the file as this; guessed from its bytes if not said.")
    ] = None,
    caption: Annotated[str, typer.Option(help="What to say below an image, a video or a document.")] = "",
    template: Annotated[str | None, typer.Option(metavar="NAME", help="A template to fill instead of a text.")] = None,
    value: Annotated[
        list[str] | None, typer.Option(metavar="NAME=TEXT", help="Fills a placeholder of the template. Repeatable.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Later: +2h, 08:30, 2026-01-31T08:30 (here, or with a zone).")
    ] = None,
    reply_to: Annotated[str | None, typer.Option(metavar="ID", help="WhatsApp's id of the message to answer.")] = None,
    account: Annotated[str | None, typer.Option(help="The account to send from, if there are several.")] = None,
    key: Annotated[str | None, typer.Option(help="The same key and message is sent once, however often asked.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show how far it is until it was read.")] = False,
    until: Annotated[Goal | None, typer.Option(help="Wait too, but no longer than that.", show_default=False)] = None,
    as_json: AsJson = False,
    url: Url = HOME,
) -> None:
    """Send a message.

    The gateway keeps it, and sends it as soon as it may. With --wait, 1 is
    the end of one that failed, or of which nobody knows whether it was sent.

    Examples:
      wigwag send 919876543210 "Hello!" --wait
      wigwag send 919876543210 --file cat.jpg --caption "Our cat"
      wigwag send 120363400902171371@g.us "Good morning" --at 08:30
      date | wigwag send 919876543210 -
    """
    send_at = when(at, time.time()) if at else None
    options = {"reply_to": reply_to, "account": account, "idempotency_key": key, "send_at": send_at}
    content = _content(text, file, kind, caption, template, value or [])
    body = {"to": to, **content, **{name: given for name, given in options.items() if given is not None}}
    with Client(url) as gateway:
        if file:
            kept = gateway.upload("media", file=body.pop("file"))
            body["media"] = {"id": kept["id"], "filename": file.name}
        job = gateway.post("messages", body=body)
        if wait or until:
            _wait(gateway, job, until or END, as_json=as_json)
        elif as_json:
            say_json(job)
        else:
            _tell(gateway, job)


def _content(
    text: str | None, file: Path | None, kind: Type | None, caption: str, template: str | None, values: list[str]
) -> dict[str, Any]:
    if [text, file, template].count(None) != 2:
        raise Failure("what? Give a text, --file or --template.", ExitCode.USAGE)
    if (kind or caption) and not file:
        raise Failure("--type and --caption go with --file.", ExitCode.USAGE)
    if values and not template:
        raise Failure("--value goes with --template.", ExitCode.USAGE)
    if file:
        data = file.read_bytes()
        return {"type": _kind(data, kind), "file": data} | ({"caption": caption} if caption else {})
    if template:
        return {"template": {"name": template, "values": dict(map(_pair, values))}}
    return {"text": read_text(text or "")}


def read_text(text: str) -> str:
    """A text as given, or from standard input for `-`, without its last line end. Raises Failure."""
    if text == "-":
        try:
            text = sys.stdin.read().removesuffix("\n")
        except UnicodeDecodeError as error:
            raise Failure("what came in is not text in UTF-8.", ExitCode.USAGE) from error
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Failure("the text is not UTF-8.", ExitCode.USAGE)
    return text


def _kind(data: bytes, wanted: Type | None) -> Kind:
    """What to send the bytes as: what was wanted, or the first kind that they may be. Raises Failure."""
    for kind in (Kind(wanted),) if wanted else (*GUESSES, Kind.DOCUMENT):
        try:
            judge(kind, data)
        except InvalidMessage as error:
            refusal = error
        else:
            return kind
    raise Failure(str(refusal), ExitCode.USAGE)


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise Failure(f"--value {text!r} has no =: write it like name=John.", ExitCode.USAGE)
    return name, value


def _tell(gateway: Client, job: Job) -> None:
    due = instant(job["send_at"])
    later = f"  for {told(due, time.time())}" if due else ""
    say(state(job["state"]).append(f"  {job['id']}{later}"))
    account = gateway.get("accounts", job["account"])
    if account["state"] != "connected":
        note(f"{account['name']} is {account['state']}, so it waits. {account['advice']}")
    elif due:
        note(f"To take it back: wigwag messages cancel {job['id']}")
    else:
        note(f"How far it is: wigwag messages show {job['id']}")


def _wait(gateway: Client, job: Job, until: Goal, *, as_json: bool) -> None:
    try:
        job = follow(looks(gateway, job["id"], until=until), as_json=as_json)
    except KeyboardInterrupt:
        note(f"The gateway goes on without us; see `wigwag messages show {job['id']}`.")
        raise
    if told_next := advice(job):
        raise Failure(told_next[0].lower() + told_next[1:])
    if job["state"] == "cancelled":
        raise Failure("it was cancelled meanwhile.")
