# SPDX-License-Identifier: Apache-2.0
"""How values are written: instants as RFC 3339 in UTC and whole seconds, long lists as streams.

A list of 100,000 is rendered in slices, and the event loop gets a turn between them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from fastapi.responses import StreamingResponse
from pydantic import BaseModel, TypeAdapter

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

SLICE = 256  # values rendered without a breath: about a millisecond


def instant(seconds: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(int(seconds), UTC)


def instant_or_never(seconds: float | None) -> datetime | None:
    """Unix seconds as a time; 0 and None mean never."""
    return instant(seconds) if seconds else None


def stream(values: Iterable[T], view: Callable[[T], M], model: type[M], status: int = 200) -> StreamingResponse:
    """A JSON list of any length."""
    return StreamingResponse(_chunks(values, view, model), status, media_type="application/json")


async def _chunks(values: Iterable[T], view: Callable[[T], M], model: type[M]) -> AsyncIterator[bytes]:
    adapter, rest = TypeAdapter(list[model]), iter(values)  # type: ignore[valid-type]
    opening = b"["
    while views := [view(value) for value in islice(rest, SLICE)]:
        yield opening + adapter.dump_json(views)[1:-1]
        opening = b","
        await asyncio.sleep(0)
    yield b"]" if opening == b"," else b"[]"
