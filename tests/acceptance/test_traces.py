# SPDX-License-Identifier: Apache-2.0
"""One message, one trace: in the envelope, the log, the webhook, the results and the spans of a running gateway.

The collector here is a few lines of HTTP that read what OpenTelemetry's own protocol says.
"""

import asyncio
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import aio_pika
import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_open_metrics

from tests.acceptance.kills import PEOPLE, world
from tests.acceptance.processes import Process, wait
from wigwag.adapters.metrics import names

pytestmark = pytest.mark.slow
TRACE_ID, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUEUE = "traced.envelopes"
TEXT = "a text that belongs to two people"


class Listener(ThreadingHTTPServer):
    """A collector of spans, and a receiver of webhooks."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.webhooks: list[tuple[str, str]] = []  # type and traceparent

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def listening(self) -> Iterator["Listener"]:
        thread = Thread(target=self.serve_forever, name="listener")
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def of_trace(self, trace_id: str) -> dict[str, Any]:
        """The spans of a trace, by name."""
        return {span.name: span for span in self.spans if span.trace_id.hex() == trace_id}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Listener)
        if self.path == "/v1/traces":
            request = ExportTraceServiceRequest.FromString(body)
            self.server.spans += [
                span for part in request.resource_spans for scope in part.scope_spans for span in scope.spans
            ]
        else:
            self.server.webhooks.append((json.loads(body)["type"], self.headers.get("traceparent", "")))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  its name there
        """Be silent."""


async def publish(url: str, listener_queue: str) -> None:
    """An envelope with a trace, from somebody who wants to know what becomes of it."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(listener_queue)
        envelope = {
            "user_id": "7f1d2c66-92d3-4d7e-9a52-6f3f6f0f4a11",
            "text_message": TEXT,
            "destination": f"+{PEOPLE[0]}",
        }
        message = aio_pika.Message(
            json.dumps(envelope).encode(),
            reply_to=listener_queue,
            headers={"traceparent": f"00-{TRACE_ID}-{CALLER}-01"},
        )
        exchange = await channel.get_exchange("traced.exchange")
        await exchange.publish(message, routing_key="traced")


async def results(url: str, listener_queue: str) -> list[str]:
    """The traces that came with the results."""
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(listener_queue)
        found = []
        while message := await queue.get(no_ack=True, fail=False):
            found.append(str(message.headers["traceparent"]))
        return found


def lines(gateway: Process) -> list[dict[str, str]]:
    """What the gateway logged with an action, line by line: keys and values."""
    said = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in gateway.log.read_text().splitlines()]
    return [line for line in said if "action" in line]


def test_one_message_is_one_trace_everywhere(tmp_path: Path, rabbitmq: str, promtool: str) -> None:
    with world(tmp_path) as here, Listener().listening() as there:
        here.simulator.put("/sim/receipts", {"hold": False})
        here.extra |= {
            "RABBITMQ_URL": rabbitmq,
            "WHATSAPP_QUEUE_NAME": QUEUE,
            "WHATSAPP_EXCHANGE": "traced.exchange",
            "WHATSAPP_ROUTING_KEY": "traced",
            "WIGWAG_OUTGOING_ALLOW": "127.0.0.0/8",
            "WIGWAG_REALTIME_AUTH": "trusted",
            "OTEL_EXPORTER_OTLP_ENDPOINT": there.url,
        }
        with here.gateway() as gateway:
            gateway.post("/api/webhooks", {"url": f"{there.url}/hook", "events": ["message.*"]})
            asyncio.run(publish(rabbitmq, "traced.answers"))
            wait(lambda: {kind for kind, _ in there.webhooks} >= {"message.sent", "message.read"}, gateway)
            ours = gateway.post("/api/messages", {"to": f"+{PEOPLE[1]}", "text": TEXT})
            wait(lambda: gateway.get(f"/api/messages/{ours['id']}")["state"] == "read", gateway)
            assert exported(gateway) == {metric.name for metric in names.FIXED_METRICS}
            assert_readable(gateway, promtool)
            assert gateway.stop() == 0
        assert_one_trace(there, lines(gateway), asyncio.run(results(rabbitmq, "traced.answers")))
        assert_ours_begins_with_the_message(there, lines(gateway), ours["id"])
        assert TEXT not in gateway.log.read_text()
        assert TEXT not in repr(there.spans)
        assert PEOPLE[0] not in repr(there.spans)


def exported(gateway: Process) -> set[str]:
    """The metrics of a running gateway, without those that prometheus_client brings and those of contacts."""
    found = set(re.findall(r"^# TYPE (\S+) ", gateway.metrics(), re.MULTILINE))
    return found - set(names.STANDARD) - {metric.name for metric in names.CONTACT_METRICS}


def assert_readable(gateway: Process, promtool: str) -> None:
    """Prometheus has nothing to say about what a running gateway exports, in neither format."""
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=gateway.metrics(), text=True, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    answer = httpx.get(f"{gateway.url}/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = list(read_open_metrics(answer.text))  # type: ignore[no-untyped-call]
    assert len(families) > len(names.FIXED_METRICS)


def assert_one_trace(there: Listener, log: list[dict[str, str]], answers: list[str]) -> None:
    assert answers
    assert {answer.split("-")[1] for answer in answers} == {TRACE_ID}
    assert {trace.split("-")[1] for kind, trace in there.webhooks[:2]} == {TRACE_ID}
    logged = [line for line in log if line.get("trace_id") == TRACE_ID]
    assert {"message.accepted", "message.sent", "message.read"} <= {line["action"] for line in logged}
    assert {line["account"] for line in logged if line["action"].startswith("message.")} == {"default"}
    spans = there.of_trace(TRACE_ID)
    assert {"message", "wait", "send", "webhook message.sent", "webhook message.read"} <= set(spans)
    assert spans["message"].parent_span_id.hex() == CALLER
    assert spans["send"].parent_span_id == spans["message"].span_id
    told = {trace.split("-")[2] for _, trace in there.webhooks}
    assert {spans[name].span_id.hex() for name in spans if name.startswith("webhook")} <= told


def assert_ours_begins_with_the_message(there: Listener, log: list[dict[str, str]], job: str) -> None:
    """Whoever brings no trace gets one."""
    [trace_id] = {line["trace_id"] for line in log if line.get("job") == job}
    spans = there.of_trace(trace_id)
    assert spans["message"].parent_span_id == b""
    assert spans["send"].parent_span_id == spans["message"].span_id
