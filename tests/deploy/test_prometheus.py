# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus scrapes a gateway at work, and has an answer to every rule and every panel."""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from tests.acceptance import envelopes
from tests.acceptance.kills import PHONE
from tests.acceptance.processes import Process, pair, wait, wigwag
from tests.deploy.alerting import ROOT, RULES
from tests.deploy.expressions import asked, everything, metrics_of
from tests.servers import Server, free_port, private, program

pytestmark = pytest.mark.slow
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SENT = 3  # messages in a turn
CAST = "15550102024"  # Priya Raghavan of the demo, who writes and types
NOBODY = "15559999999"
# Without a sample until it happened: WhatsApp must refuse us, a part must fail, 100,000 deliveries must wait.
RARE = {"wigwag_account_restricted_until_timestamp_seconds", "wigwag_part_failures_total"}
RARE |= {"wigwag_webhook_dropped_total"}


def prometheus(target: str) -> Server:
    """Prometheus with the configuration and the rules of deploy/prometheus, but in a hurry."""
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    del config["alerting"]
    [job] = config["scrape_configs"]
    job.pop("authorization", None)
    job["static_configs"] = [{"targets": [target]}]
    files = {"prometheus.yml": yaml.safe_dump(config), **{f"rules/{path.name}": path.read_text() for path in RULES}}
    written = 'cd "$1" && shift && mkdir rules && while [ $# -gt 0 ]; do printf "%s" "$2" >"$1" && shift 2; done'
    return Server(
        name="prometheus",
        programs=("prometheus",),
        create=lambda folder: ["sh", "-c", written, "sh", folder, *(part for file in files.items() for part in file)],
        serve=lambda folder, port: [
            *(program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        ready="Server is ready to receive web requests",
        url="http://127.0.0.1:{port}",
    )


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def _get(self, path: str, **params: str) -> Any:
        answer = httpx.get(f"{self._url}/api/v1/{path}", params=params, timeout=30.0).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]

    def ask(self, expr: str) -> list[Any]:
        """What an expression gives now: series, without those that are no number."""
        found: list[Any] = self._get("query", query=expr)["result"]
        return [series for series in found if series["value"][1] != "NaN"]

    def rules(self) -> list[Any]:
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory, rabbitmq: str, amqp_publish: str) -> Iterator[Prometheus]:
    """Prometheus, and before it a gateway to which everything happens that a dashboard shows."""
    folder = tmp_path_factory.mktemp("prometheus")
    with ExitStack() as stack:
        simulator = stack.enter_context(wigwag("simulate", "--cast", log=folder / "simulator.log"))
        queue = f"queue_{free_port()}"
        more = {
            "RABBITMQ_URL": rabbitmq,
            "WHATSAPP_QUEUE_NAME": queue,
            "WHATSAPP_ROUTING_KEY": queue,
            "WIGWAG_OUTGOING_ALLOW": "127.0.0.0/8",
            "WIGWAG_MESSAGES_PER_MINUTE": "0",
            "WHATSAPP_SESSION_PATH": str(folder / "session"),
            "WHATSAPP_SIMULATOR_URL": simulator.url,
        }
        gateway = stack.enter_context(wigwag("serve", log=folder / "gateway.log", more=more))
        pair(gateway, simulator, PHONE)
        server = stack.enter_context(private(prometheus(f"127.0.0.1:{gateway.port}")))
        listener = stack.enter_context(listening())
        given = Prometheus(server.url)
        set_up(gateway, simulator, listener)
        for turn in (1, 2):  # a rate needs two scrapes with something between them
            happen(gateway, simulator, lambda bodies: envelopes.publish(amqp_publish, rabbitmq, bodies, queue))
            wait(lambda: given.ask(f"sum(whatsapp_messages_sent_total) == {turn * SENT}"), gateway)  # noqa: B023
        simulator.post("/sim/faults", {"kind": "cut"})
        wait(lambda: given.ask("whatsapp_reconnect_total"), gateway)
        yield given


@contextmanager
def listening() -> Iterator[str]:
    """Somebody who takes every webhook."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        Thread(target=server.serve_forever, name="webhooks").start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def set_up(gateway: Process, simulator: Process, listener: str) -> None:
    """Contacts, and webhooks of which one is not heard."""
    people = simulator.get("/sim/contacts")
    batch = [{"jid": person["phone"], "name": person["name"]} for person in people]
    gateway.post("/api/subscriptions", {"contacts": batch})
    gateway.post("/api/webhooks", {"url": listener, "events": ["*"]})
    gateway.post("/api/webhooks", {"url": f"http://127.0.0.1:{free_port()}/", "events": ["message.*"]})


def happen(gateway: Process, simulator: Process, publish: Callable[[list[bytes]], None]) -> None:
    """Messages of every fate."""
    media = httpx.post(f"{gateway.url}/api/media", content=PIXEL).raise_for_status().json()["id"]
    gateway.post("/api/messages", {"to": CAST, "text": "Hello"})
    gateway.post("/api/messages", {"to": NOBODY, "text": "Is anybody there?"})
    simulator.post(f"/sim/contacts/{CAST}/calls")
    gateway.post("/api/messages", {"to": CAST, "type": "image", "media": {"id": media}})
    publish([*envelopes.good({"from the queue": CAST}), envelopes.WRONG[0][1]])
    simulator.post(f"/sim/contacts/{CAST}/messages", {"text": "Hello yourself"})
    simulator.post(f"/sim/contacts/{CAST}/typing", {"state": "composing"})
    httpx.get(f"{gateway.url}/api/messages/none")


def test_every_panel_has_an_answer(at_work: Prometheus) -> None:
    still = dict(asked())

    def answered() -> bool:
        for where in [where for where, expr in still.items() if at_work.ask(expr)]:
            del still[where]
        return not still

    try:
        wait(answered)
    except AssertionError:
        assert still == {}


def test_every_rule_is_evaluated_without_error_over_series_that_are_there(at_work: Prometheus) -> None:
    def evaluated() -> bool:
        return all(rule["lastEvaluation"] > "0001-01-02" for rule in at_work.rules())

    wait(evaluated)
    assert {rule["name"]: rule.get("lastError") for rule in at_work.rules() if rule["health"] != "ok"} == {}
    named = set().union(*map(metrics_of, everything().values())) - RARE
    there = {series["metric"]["__name__"] for series in at_work.ask('{job="wigwag"}')}
    assert {name for name in named if not {name, f"{name}_bucket"} & there} == set()
    recorded = [rule["name"] for rule in at_work.rules() if rule["type"] == "recording"]
    wait(lambda: all(at_work.ask(name) for name in recorded))


def test_an_expression_without_an_answer_is_noticed(at_work: Prometheus) -> None:
    assert at_work.ask("whatsapp_no_such_thing") == []
    with pytest.raises(AssertionError):
        at_work.ask("sum(")
