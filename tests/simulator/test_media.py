# SPDX-License-Identifier: Apache-2.0
"""Files are encrypted as WhatsApp does it, kept within bounds, and come back to the byte or not at all."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.client import Client
from wigwag.simulator.media import KINDS, MediaError, seal, unseal, unwrap, wrap
from wigwag.simulator.media_store import AUTH_LIFETIME, LIFETIME, MediaGone, MediaStore, UnknownMedia

KEY = bytes(range(32))
NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("kind", "sealed"),
    [
        ("image", "d6dae84a388d36554b4babc2ea10204a9971f756a2561f9b8f20"),
        ("video", "c624da9eb5a2049e082f4c704ba5edf9591e7ee8cc93c92fc18f"),
        ("audio", "481860eeb7b3ac7fad211d5d7e9241b8bf64c80fc062b97fec1b"),
        ("voice", "481860eeb7b3ac7fad211d5d7e9241b8bf64c80fc062b97fec1b"),
        ("document", "92b534e9698bcd52f63bfe878aac14ce4b7dda85f527bcf53712"),
        ("sticker", "d6dae84a388d36554b4babc2ea10204a9971f756a2561f9b8f20"),
    ],
)
def test_a_file_is_sealed_as_the_protocol_says(kind: str, sealed: str) -> None:
    """The expected bytes were made with `openssl kdf`, `openssl enc` and `openssl dgst`."""
    assert seal(kind, KEY, b"hello").hex() == sealed


@given(kind=st.sampled_from(KINDS), plain=st.binary(max_size=100))
def test_what_was_sealed_is_unsealed_to_the_byte(kind: str, plain: bytes) -> None:
    sealed, fields = wrap(kind, plain)
    assert unwrap(kind, fields, sealed) == plain
    assert len(sealed) == 16 * (len(plain) // 16 + 1) + 10


@given(at=st.integers(0, 41), bit=st.integers(0, 7))
def test_one_changed_bit_is_noticed(at: int, bit: int) -> None:
    sealed = bytearray(seal("image", KEY, b"a file of two blocks"))
    sealed[at] ^= 1 << bit
    with pytest.raises(MediaError, match="not encrypted with this key"):
        unseal("image", KEY, bytes(sealed))


def test_a_file_of_another_kind_is_not_opened() -> None:
    with pytest.raises(MediaError, match="for this kind"):
        unseal("video", KEY, seal("image", KEY, b"hello"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"media_key": "AAAA"}, "has 32 bytes, not 3", id="a short key"),
        pytest.param({"media_key": "?"}, "no base64", id="no base64"),
        pytest.param({"media_key": 7}, "no base64", id="no text"),
        pytest.param({"media_key": base64.b64encode(KEY).decode()}, "not encrypted with this key", id="another key"),
        pytest.param({"enc_sha256": ""}, "encrypted file has another hash", id="another hash of the encrypted file"),
        pytest.param({"sha256": ""}, "the file has another hash", id="another hash"),
        pytest.param({"length": 6}, "another hash or length", id="another length"),
    ],
)
def test_a_file_that_is_not_as_the_message_says_is_refused(changes: dict[str, Any], why: str) -> None:
    sealed, fields = wrap("image", b"hello")
    with pytest.raises(MediaError, match=why):
        unwrap("image", fields | changes, sealed)


def test_a_kind_without_files_is_refused() -> None:
    with pytest.raises(MediaError, match="carries no file"):
        wrap("poll", b"hello")


def test_a_file_is_kept_for_its_time_and_then_known_to_be_gone() -> None:
    store = MediaStore()
    path = store.keep(b"a file", NOW)
    assert store.fetch(path, NOW + LIFETIME - 1) == b"a file"
    with pytest.raises(MediaGone):
        store.fetch(path, NOW + LIFETIME)
    with pytest.raises(UnknownMedia):
        store.fetch("/v/another.enc", NOW)
    assert store.keep(b"a file", NOW + LIFETIME) != path
    assert store.fetch(path, NOW + LIFETIME) == b"a file"


@given(sizes=st.lists(st.integers(1, 12), max_size=20), capacity=st.integers(1, 30))
def test_the_newest_files_stay_within_the_bound_and_the_oldest_go(sizes: list[int], capacity: int) -> None:
    store, kept = MediaStore(capacity=capacity), []
    for number, size in enumerate(sizes):
        data = bytes([number]) * size
        kept.append((store.keep(data, NOW), data))
        assert store.size <= capacity
    behind = 0  # bytes that came since
    for path, data in reversed(kept):
        behind += len(data)
        if behind <= capacity:
            assert store.fetch(path, NOW) == data
        else:
            with pytest.raises(MediaGone):
                store.fetch(path, NOW)


def test_the_same_file_twice_takes_its_room_once() -> None:
    store = MediaStore()
    assert store.keep(b"a file", NOW) == store.keep(b"a file", NOW)
    assert store.size == len(b"a file")


async def test_a_token_is_worth_nothing_after_its_time_and_without_its_device(online: Client) -> None:
    exchange = online.simulator.exchange
    device = exchange.world.people[online.jid.user].devices[online.jid.device]
    token = exchange.media.admit(device, NOW)
    assert exchange.media.holder(token, NOW + AUTH_LIFETIME - 1) is device
    assert exchange.media.holder(token, NOW + AUTH_LIFETIME) is None
    assert exchange.media.holder("another", NOW) is None
    await online.simulator.inject("logged_out")
    assert exchange.media.holder(token, NOW) is None
