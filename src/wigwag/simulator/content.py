# SPDX-License-Identifier: Apache-2.0
"""What a message says, in one shape for all kinds: bytes of the protocol to `Content`, and back.

Pure. `read` takes whatever a client has written; `compose` makes what a simulated person sends. Bytes within `fields`
are base64, so that a content can be JSON.
"""

import base64
import binascii
from dataclasses import dataclass, field, replace
from typing import Any

from wigwag.simulator import e2e
from wigwag.simulator.protobuf import Field, Message, ProtobufError

_KINDS = {
    "image": "image",
    "video": "video",
    "round_video": "video",
    "audio": "audio",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "live_location": "live_location",
    "contact": "contact",
    "contacts": "contacts",
    "extended_text": "text",
    "poll": "poll",
    "poll_v2": "poll",
    "poll_v3": "poll",
    "vote": "vote",
    "reaction": "reaction",
}
"""The fields of a message that say what it is."""

_TEXTS = {
    "extended_text": "text",
    "reaction": "text",
    "poll": "question",
    "poll_v2": "question",
    "poll_v3": "question",
    "location": "comment",
}
"""Where the text is, when it is no caption."""

_TARGETED = {"edit", "deletion", "reaction", "vote"}
KINDS = tuple(sorted({*_KINDS.values(), *_TARGETED, "voice"}))
"""What `compose` can make; `read` also says protocol, keys and unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`text` is also the caption, the question of a poll and the emoji of a reaction; `quoted` a message id.

    `fields` has the rest by name. A message about another one has its id there as `target`, with `from_me` (written by
    the sender of this one), `chat` and `participant`.
    """

    kind: str
    text: str | None = None
    quoted: str | None = None
    mentions: tuple[str, ...] = ()
    fields: dict[str, Any] = field(default_factory=dict)


def read(message: bytes) -> Content:
    """Raises ProtobufError when the bytes are no message."""
    return tell(e2e.CONTENT.decode(message))


def tell(values: dict[str, Any]) -> Content:
    """The content of a decoded message, out of whatever it is wrapped in."""
    for wrapper in ("device_sent", *e2e.WRAPPERS):
        if "message" in values.get(wrapper, {}):
            return tell(values[wrapper]["message"])
    if "conversation" in values:
        return Content(kind="text", text=values["conversation"])
    if "protocol" in values:
        return _tell_protocol(values["protocol"])
    name = next((name for name in _KINDS if name in values), None)
    if name:
        return _tell_part(name, values[name])
    return Content(kind="keys" if "sender_key" in values else "unknown")


def _tell_part(name: str, values: dict[str, Any]) -> Content:
    rest = dict(values)
    context, key = rest.pop("context", {}), rest.pop("key", {})
    text = rest.pop(_TEXTS.get(name, "caption"), None)
    kind = "voice" if rest.pop("voice", False) else _KINDS[name]
    if kind == "poll":
        rest["options"] = [option.get("name", "") for option in rest.get("options", [])]
    return Content(
        kind=kind,
        text=text,
        quoted=context.get("quoted"),
        mentions=tuple(context.get("mentions", ())),
        fields={**_target(key), **_plain(rest)},
    )


def _tell_protocol(values: dict[str, Any]) -> Content:
    kinds = {e2e.MESSAGE_EDIT: "edit", e2e.REVOKE: "deletion"}
    kind = kinds.get(values.get("type", e2e.REVOKE)) if "key" in values else None
    if kind is None:
        return Content(kind="protocol", fields={"type": values.get("type", 0)})
    target = _target(values["key"])
    if kind == "deletion":
        return Content(kind=kind, fields=target)
    return replace(tell(values.get("edited", {})), kind=kind, fields=target)


def _target(key: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in key.items() if name != "id"}
    return {"target": key.get("id"), "from_me": False, **rest} if key else {}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def compose(content: Content) -> bytes:
    """The message that says this. Raises ValueError for a kind or a field that there is none."""
    if content.kind not in KINDS:
        raise ValueError(f"no kind of message {content.kind!r}: choose one of {', '.join(KINDS)}")
    if content.kind in _TARGETED and not content.fields.get("target"):
        raise ValueError(f"a message of kind {content.kind} needs the field target: the id of the message it is about")
    return e2e.CONTENT.encode(_message(content))


def _message(content: Content) -> dict[str, Any]:
    match content.kind:
        case "text" if not (content.quoted or content.mentions or content.fields):
            return {"conversation": content.text or ""}
        case "edit":
            new = replace(content, kind="text", fields={})
            protocol = {"key": _key(content.fields), "type": e2e.MESSAGE_EDIT, "edited": _message(new)}
            return {"edited": {"message": {"protocol": protocol}}}
        case "deletion":
            return {"protocol": {"key": _key(content.fields), "type": e2e.REVOKE}}
        case kind:
            names = {"text": "extended_text", "voice": "audio"}
            return {names.get(kind, kind): _part(names.get(kind, kind), content)}


def _part(name: str, content: Content) -> dict[str, Any]:
    table = e2e.PARTS[name]
    fields = dict(content.fields)
    key = _key(fields) if content.kind in _TARGETED else {}
    for each in ("target", "from_me", "chat", "participant") if key else ():
        fields.pop(each, None)
    if content.kind == "poll":
        fields["options"] = [{"name": option} for option in fields.get("options", [])]
    context = _given(quoted=content.quoted, mentions=list(content.mentions))
    said = {_TEXTS.get(name, "caption"): content.text} if content.text is not None else {}
    _check_names(table, said | _given(context=context))
    return _wire(table, fields) | said | _given(context=context, key=key, voice=content.kind == "voice")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _check_names(table: Message, fields: dict[str, Any]) -> None:
    names = {row.name for row in table.fields.values()}
    if unknown := fields.keys() - names:
        raise ValueError(f"no field {', '.join(sorted(unknown))} here: choose from {', '.join(sorted(names))}")


def _key(fields: dict[str, Any]) -> dict[str, Any]:
    names = ("chat", "from_me", "participant")
    return {"id": fields["target"], **{name: fields[name] for name in names if fields.get(name) is not None}}


def _wire(table: Message, fields: dict[str, Any]) -> dict[str, Any]:
    _check_names(table, fields)
    rows = {row.name: row for row in table.fields.values()}
    return {name: _wire_value(rows[name], value) for name, value in fields.items()}


def _wire_value(row: Field, value: Any) -> Any:
    if row.repeated and isinstance(value, list):
        return [_wire_value(replace(row, repeated=False), each) for each in value]
    if isinstance(row.kind, Message) and isinstance(value, dict):
        return _wire(row.kind, value)
    kinds: dict[Any, Any] = {"string": str, "bytes": str, "uint": int, "bool": bool, "double": (int, float)}
    if isinstance(row.kind, Message) or row.repeated or not isinstance(value, kinds[row.kind]):
        raise ValueError(f"the field {row.name} cannot be {value!r}")
    try:
        return base64.b64decode(value, validate=True) if row.kind == "bytes" else value
    except binascii.Error as error:
        raise ValueError(f"the field {row.name} needs base64") from error


def read_or_unknown(message: bytes) -> Content:
    """As `read`, for bytes that need not be a message."""
    try:
        return read(message)
    except ProtobufError:
        return Content(kind="unknown")
