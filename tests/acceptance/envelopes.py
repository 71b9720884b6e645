# SPDX-License-Identifier: Apache-2.0
"""Envelopes as a producer that is not ours publishes them, good ones and such as are wrong in every way of the seed."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any
from uuid import UUID

from aiormq import spec

EXCHANGE, ROUTING_KEY, QUEUE = "woragis.notifications", "whatsapp.send", "whatsapp.queue"
USER = str(UUID(int=7))
AT_ONCE = 4  # publishing programs

_GOOD: dict[str, object] = {"user_id": USER, "text_message": "fine", "destination": "+15550100001"}
_CHANGES: list[tuple[str, dict[str, object]]] = [
    ("invalid_user_id", {"user_id": "nobody"}),
    ("invalid_user_id", {"user_id": 7}),
    ("destination_missing", {"destination": ""}),
    ("invalid_destination", {"destination": "15550100001"}),
    ("invalid_destination", {"destination": "+1555"}),
    ("invalid_destination", {"destination": "+1555010000112345678"}),
    ("invalid_destination", {"destination": "+1555CALLNOW"}),
    ("text_missing", {"text_message": ""}),
    ("text_too_long", {"text_message": "x" * 4097}),
    ("sql_injection", {"text_message": "' OR 1=1 --"}),
    ("sql_injection", {"text_message": "x'; DROP TABLE users; --"}),
    ("xss", {"text_message": "<script>alert(1)</script>"}),
    ("xss", {"text_message": '<img src=x onerror="alert(1)">'}),
]
WRONG: list[tuple[str, bytes]] = [
    ("malformed_json", b"hello"),
    ("malformed_json", b'{"user_id": '),
    ("not_an_object", b'["user_id"]'),
    *((reason, json.dumps({**_GOOD, **change}).encode()) for reason, change in _CHANGES),
    *(
        (reason, json.dumps({name: value for name, value in _GOOD.items() if name != field}).encode())
        for field, reason in [
            ("user_id", "user_id_missing"),
            ("destination", "destination_missing"),
            ("text_message", "text_missing"),
        ]
    ),
]


class Nameless(spec.Basic.Properties):
    """Properties without a `message_id`, whatever happens: aiormq gives one to each message that has none."""

    @property
    def message_id(self) -> None:
        """There is none."""

    @message_id.setter
    def message_id(self, _given: str | None) -> None:
        """It is not taken."""


def wrong(count: int) -> list[tuple[str, bytes]]:
    """So many wrong envelopes, with the reason for which each must be refused."""
    return list(islice(cycle(WRONG), count))


def good(texts: Mapping[str, str]) -> Iterator[bytes]:
    """An envelope for each text, to the number that it is for."""
    for text, number in texts.items():
        yield json.dumps({"user_id": USER, "text_message": text, "destination": f"+{number}"}).encode()


def publish(
    program: str, url: str, bodies: list[bytes], routing_key: str = ROUTING_KEY, exchange: str = EXCHANGE
) -> None:
    """Publish with amqp-publish, a program of rabbitmq-c, one run for each envelope."""

    def one(body: bytes) -> None:
        command = [program, f"--url={url}", f"--exchange={exchange}", f"--routing-key={routing_key}", "--persistent"]
        subprocess.run(command, input=body, check=True, capture_output=True, timeout=30)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, bodies))


def sample(metrics: str, series: str) -> float:
    """The value of a series in `/metrics`; 0 if it is not there."""
    found: Any = next((line for line in metrics.splitlines() if line.startswith(f"{series} ")), f"{series} 0")
    return float(found.rpartition(" ")[2])
