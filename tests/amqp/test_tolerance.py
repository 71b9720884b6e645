# SPDX-License-Identifier: Apache-2.0
"""A message with properties that cannot be decoded neither ends the connection nor hides other messages."""

import asyncio

import pytest
from pamqp import decode

from tests.amqp.world import World, envelope, until
from wigwag.adapters.amqp.tolerance import be_tolerant
from wigwag.domain.events import PartFailed


@pytest.mark.parametrize("body", [envelope(), b"?"], ids=["good", "bad"])
async def test_a_property_that_is_not_utf_8_is_left_out(world: World, amqp_publish: str, body: bytes) -> None:
    async with world.working():
        target = [f"--exchange={world.topology.exchange}", f"--routing-key={world.topology.routing_key}"]
        odd = [b"--content-type=a\xffb", b"--header=odd: \xfe"]
        publisher = await asyncio.create_subprocess_exec(
            amqp_publish, f"--url={world.url}", *target, *odd, b"--body=" + body
        )
        assert await publisher.wait() == 0
        if body == b"?":
            await until(lambda: world.broker.dead_letter_counts()[world.topology.dead_letters])
            [letter] = await world.broker.dead_letters.list(10)
            assert letter.reason == "malformed_json"
            assert (await world.take(world.topology.dead_letters)).content_type == "ab"
        else:
            await until(lambda: world.ledger.jobs_kept)
    assert not world.facts.of(PartFailed)


@pytest.mark.parametrize(
    ("kind", "encoded", "value"),
    [
        ("timestamp", (1_800_000_000_000_000_000).to_bytes(8, "big"), None),
        ("timestamp", b"\xff" * 8, None),
        ("shortstr", b"\x03a\xffb", "ab"),
        ("table", b"\x00\x00\x00\x04\x01\xffV?", {}),
        ("table", b"\x00\x00\x00\x0b\x01aT" + b"\xff" * 8, {"a": None}),
    ],
)
def test_what_cannot_be_decoded_is_walked_past(kind: str, encoded: bytes, value: object) -> None:
    be_tolerant()
    assert decode.by_type(encoded + b"rest", kind) == (len(encoded), value)
