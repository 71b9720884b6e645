# SPDX-License-Identifier: Apache-2.0
"""Sends spans to a collector, as OTLP over HTTP. The only module that knows OpenTelemetry's library.

Spans wait in a bounded queue; what the collector does not take is lost and counted, and delays nobody.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Protocol

from wigwag.adapters.traces.spans import Span, spans
from wigwag.app.ports import Clock
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.events import Fact, PartFailed, PartRecovered

WAITING = 4096  # spans that wait; beyond it the oldest give way
BATCH = 512
EVERY = 2.0  # seconds between two exports
PATIENCE = 10.0  # seconds for one export, attempts of the library included
FAREWELL = 5.0  # seconds for the last export when we stop
PART = "traces"

Observe = Callable[[str, int], None]
"""Told how many spans were exported, failed or dropped."""


class Collector(Protocol):
    """Where spans go. It may block, and is called in a thread."""

    def __call__(self, batch: Sequence[Span]) -> bool:
        """Whether the collector took them."""
        ...


class Traces:
    """A sink that makes spans, and the task that exports them."""

    def __init__(self, collect: Collector, clock: Clock, announce: Callable[[Fact], None], observe: Observe) -> None:
        self._collect, self._clock, self._announce, self._observe = collect, clock, announce, observe
        self._waiting: deque[Span] = deque()
        self._failing = False

    def sink(self, fact: Fact) -> None:
        """Keep the spans that end with a fact."""
        self._waiting.extend(spans(fact))
        if (over := len(self._waiting) - WAITING) > 0:
            for _ in range(over):
                self._waiting.popleft()
            self._observe("dropped", over)

    async def run(self) -> None:
        """Export for ever; at the end, what waits then, if the collector is quick."""
        try:
            while True:
                await self._clock.sleep(EVERY)
                await self._export()
        finally:
            await self._say_farewell()

    async def _say_farewell(self) -> None:
        try:
            async with asyncio.timeout(FAREWELL):
                await self._export()
        except TimeoutError:
            self._observe("dropped", len(self._waiting))

    async def _export(self) -> None:
        while batch := list(islice(self._waiting, BATCH)):
            for _ in batch:
                self._waiting.popleft()
            taken = await asyncio.to_thread(self._collect, batch)
            self._observe("exported" if taken else "failed", len(batch))
            self._tell(taken)
            if not taken:
                return

    def _tell(self, taken: bool) -> None:
        """Say once that it fails, and once that it works again."""
        if taken is not self._failing:
            return
        self._failing, at = not taken, self._clock.now()
        if taken:
            self._announce(PartRecovered(part=PART, at=at))
        else:
            detail = "The collector at OTEL_EXPORTER_OTLP_ENDPOINT does not take spans."
            self._announce(PartFailed(part=PART, code="unavailable", detail=detail, at=at))


def open_traces(
    endpoint: str, version: str, clock: Clock, announce: Callable[[Fact], None], observe: Observe
) -> Traces:
    """Traces that go to a collector.

    Args:
        endpoint: its base URL, such as `http://collector:4318`; spans go to `/v1/traces` below it. What else the
            OTEL_ variables say about exporters and resources is read by OpenTelemetry itself.

    Raises:
        InvalidSettings: OpenTelemetry is not installed.
    """
    try:
        collect = _collector(f"{endpoint.rstrip('/')}/v1/traces", version)
    except ImportError as error:
        raise InvalidSettings(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but OpenTelemetry is not installed: pip install 'wigwag[traces]'."
        ) from error
    return Traces(collect, clock, announce, observe)


def _collector(url: str, version: str) -> Collector:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult  # noqa: PLC0415
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415

    exporter = OTLPSpanExporter(endpoint=url, timeout=PATIENCE)
    resource = Resource.create({"service.name": "wigwag", "service.version": version})
    scope, sampled = InstrumentationScope("wigwag", version), TraceFlags(TraceFlags.SAMPLED)

    def context(trace_id: str, span_id: str, *, remote: bool) -> SpanContext:
        return SpanContext(int(trace_id, 16), int(span_id, 16), remote, sampled)

    def translated(span: Span) -> Any:
        ids, parent = span.context, span.parent
        return ReadableSpan(
            name=span.name,
            context=context(ids.trace_id, ids.span_id, remote=False),
            parent=None if parent is None else context(ids.trace_id, parent, remote=True),
            resource=resource,
            attributes=dict(span.attributes),
            kind=SpanKind[span.kind.name],
            status=Status(StatusCode.ERROR, span.error) if span.error else Status(),
            start_time=round(span.start * 1e9),
            end_time=round(span.end * 1e9),
            instrumentation_scope=scope,
        )

    def collect(batch: Sequence[Span]) -> bool:
        return exporter.export([translated(span) for span in batch]) is SpanExportResult.SUCCESS

    return collect
