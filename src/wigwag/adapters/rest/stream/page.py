# SPDX-License-Identifier: Apache-2.0
"""The table of kinds as a page for people. Nothing is decided here."""

from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wigwag.adapters.rest.stream.hub import PATIENCE
from wigwag.adapters.rest.stream.kinds import KINDS, Kind
from wigwag.adapters.rest.stream.response import HEARTBEAT
from wigwag.adapters.rest.stream.ring import SIZE

_INTRODUCTION = f"""\
# Events

`GET /api/events` tells what happens, as it happens, as server-sent events. The console lives on it, and so can you:

```console
$ curl -N 'http://127.0.0.1:8080/api/events?types=presence.*,job.changed'
retry: 2000

event: hello
id: 5f0c9a2e-4711
data: {{"resumed": false}}

event: presence.changed
id: 5f0c9a2e-4712
data: {{"jid":"919876543210@s.whatsapp.net","name":"John Doe","is_online":true, …}}
```

For deliveries that survive days of absence use [webhooks](WEBHOOKS.md); the stream is for whoever looks now. It shows
numbers and texts, as REST does. This page is printed by `python -m wigwag.adapters.rest.stream`.

## What to ask for

| Parameter | Means |
|---|---|
| `types` | kinds or patterns with commas between: `presence.*,job.changed`; without it, all |
| `account` | only what belongs to this account, and what belongs to none |
| `jid` | only what names this contact or group, in any spelling; may be repeated |
| header `Last-Event-ID` | where you stopped; a browser's `EventSource` sends it by itself |

## How not to miss anything

1. Open the stream, and wait for its first event. It is `hello` or `reset`, and always comes.
2. After a `hello` with `resumed: false`, and after a `reset`, read what you show from REST. What happens meanwhile is
   in the stream already, so apply it afterwards.
3. When the connection ends, come back with the `id` that you saw last. If all you missed is kept, it is a `hello` with
   `resumed: true`, and what you missed follows, in order and without a gap. If not, it is a `reset`: go on at 2.

The newest {SIZE:,} events are kept, in memory. A `reset` says why in `reason`: `restarted` (another process answers),
`too_old` (you missed more than is kept) or `erased` (some of it was about a person who was erased). A client that falls
behind so far while it is connected gets a `reset` too.

After {HEARTBEAT:.0f} seconds of silence a comment comes, and the present `id` without an event. A client that leaves
what it was sent unread for {PATIENCE:.0f} seconds is cut; others do not notice. Ignore kinds and keys that you do not
know: more may come.

It needs a key with the scope `read` ([ACCESS.md](ACCESS.md)), and ends when the key does.

## Kinds

"""


def describe() -> str:
    """The page (Markdown)."""
    rows = [f"| `{kind.name}` | {kind.meaning} |" for kind in KINDS]
    table = "\n".join(["| Kind | Tells that |", "|---|---|", "| `hello`, `reset` | see above |", *rows])
    return _INTRODUCTION + table + "\n" + "".join(map(_section, KINDS))


def _section(kind: Kind) -> str:
    about = _shape(kind.shape)
    return f"\n### {kind.name}\n\n{about}"


def _shape(shape: type[BaseModel]) -> str:
    fields = shape.model_fields.items()
    if doc := shape.__dict__.get("__doc__"):
        doc = doc.strip() + "\n\n"
    rows = "\n".join(f"| `{name}` | {_type(field)} | {_meaning(field)} |" for name, field in fields)
    return f"{doc or ''}| Key | Type | Meaning |\n|---|---|---|\n{rows}\n"


def _meaning(field: FieldInfo) -> str:
    examples = ", ".join(f"`{example}`" for example in field.examples or ())
    return "; ".join(filter(None, [field.description, examples]))


_NAMES: dict[Any, str] = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}


def _type(field: FieldInfo) -> str:
    """The JSON type, in words."""
    return _words(field.annotation)


def _words(annotation: Any) -> str:
    if annotation in _NAMES:
        return _NAMES[annotation]
    members: tuple[Any, ...] = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    if origin is list and members:
        return f"list of {_words(members[0])}"
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "object"
    if members:
        return " or ".join(_words(member) for member in members)
    return "time" if getattr(annotation, "__name__", "") == "datetime" else "text"
