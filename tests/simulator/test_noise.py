# SPDX-License-Identifier: Apache-2.0
"""The handshake and the frames after it: the server proves who it is, and refuses who cannot keep to the protocol."""

import asyncio

import pytest
from websockets.asyncio.client import connect

from tests.simulator.client import Client, Ended, framed
from wigwag.simulator import Simulator, schema, wire
from wigwag.simulator.curve import KeyPair
from wigwag.simulator.noise import HandshakeError, SymmetricState, header
from wigwag.simulator.wire import Node


def reasons(sim: Simulator) -> list[str]:
    return [entry.detail["reason"] for entry in sim.journal.log if entry.event == "refused"]


@pytest.mark.parametrize("dictionary", [2, 3])
async def test_a_client_of_either_dictionary_shakes_hands(sim: Simulator, dictionary: int) -> None:
    client = Client(sim, dictionary=dictionary)
    assert len(await client.offer()) == 6
    await client.close()


async def test_the_certificate_chain_ends_at_the_root_key_and_at_no_other(client: Client) -> None:
    with pytest.raises(AssertionError):
        await client.open(client.pairing_payload(), root=KeyPair.generate().public)


@pytest.mark.parametrize(
    ("opening", "reason"),
    [
        pytest.param(b"XX\x06\x03" + framed(b""), "unknown protocol header", id="another magic"),
        pytest.param(b"WA\x05\x03" + framed(b""), "unknown protocol header", id="another version"),
        pytest.param(header(9) + framed(b""), "unknown protocol header", id="an unknown dictionary"),
        pytest.param(header(3) + framed(b"\xff\xff"), "not readable", id="no protobuf"),
        pytest.param(
            header(3) + framed(schema.HANDSHAKE.encode({"client_hello": {"ephemeral": b"short"}})),
            "no key of 32 bytes",
            id="a short key",
        ),
        pytest.param(
            header(3) + framed(schema.HANDSHAKE.encode({"client_hello": {"ephemeral": bytes(32)}})),
            "no shared secret",
            id="a key that gives no secret",
        ),
    ],
)
async def test_a_wrong_opening_is_cut_off(sim: Simulator, opening: bytes, reason: str) -> None:
    async with connect(sim.websocket_url) as socket, asyncio.timeout(10):
        await socket.send(opening)
        await socket.wait_closed()
    assert reason in reasons(sim)[-1]


async def test_a_client_finish_that_does_not_decrypt_is_cut_off(sim: Simulator) -> None:
    ephemeral = KeyPair.generate()
    hello = schema.HANDSHAKE.encode({"client_hello": {"ephemeral": ephemeral.public}})
    finish = schema.HANDSHAKE.encode({"client_finish": {"static": bytes(48), "payload": bytes(20)}})
    async with connect(sim.websocket_url) as socket, asyncio.timeout(10):
        await socket.send(header(3) + framed(hello))
        await socket.recv()
        await socket.send(framed(finish))
        await socket.wait_closed()
    assert "does not decrypt" in reasons(sim)[-1]


async def test_a_text_message_is_cut_off(sim: Simulator) -> None:
    async with connect(sim.websocket_url) as socket, asyncio.timeout(10):
        await socket.send("hello")
        await socket.wait_closed()


async def test_frames_may_be_split_and_joined_as_the_network_likes(sim: Simulator, online: Client) -> None:
    assert online.socket
    frames = b""
    for query_id in ("a", "b"):
        ping = Node("iq", {"id": query_id, "xmlns": "w:p", "type": "get", "to": "@s.whatsapp.net"})
        frames += framed(online.outgoing.seal(b"\0" + _encoded(ping)))
    for at in (slice(0, 2), slice(2, 30), slice(30, None)):
        await online.socket.send(frames[at])
    await online.expect("iq", id="a")
    await online.expect("iq", id="b")


async def test_a_frame_with_a_wrong_counter_ends_the_connection(sim: Simulator, online: Client) -> None:
    online.outgoing.counter += 1
    await online.send(Node("presence", {"type": "available"}))
    with pytest.raises(Ended):
        await online.receive()
    assert "frame: message" in reasons(sim)[-1]


async def test_a_replayed_frame_ends_the_connection(sim: Simulator, online: Client) -> None:
    frame = online.outgoing.seal(b"\0" + _encoded(Node("presence", {"type": "available"})))
    await online.send_raw(frame)
    await online.send_raw(frame)
    with pytest.raises(Ended):
        await online.receive()


async def test_a_frame_that_is_no_node_ends_the_stream_with_an_error(sim: Simulator, online: Client) -> None:
    await online.send_raw(online.outgoing.seal(b"\x00\xf8\x02\x04"))
    error = await online.expect("stream:error")
    assert error.child("xml-not-well-formed")
    assert await online.ended() == []
    assert "not well formed" in reasons(sim)[-1]


async def test_the_two_directions_count_for_themselves() -> None:
    one, other = SymmetricState(b"same"), SymmetricState(b"same")
    for state in (one, other):
        state.mix_key(bytes(32))
    (there, back), (hither, thither) = one.split(), other.split()
    assert [hither.open(there.seal(bytes([n]))) for n in range(3)] == [b"\0", b"\1", b"\2"]
    assert back.open(thither.seal(b"x")) == b"x"
    with pytest.raises(HandshakeError):
        there.open(there.seal(b"x"))


def _encoded(node: Node) -> bytes:
    return wire.encode(node)[1:]
