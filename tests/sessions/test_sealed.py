# SPDX-License-Identifier: Apache-2.0
"""The sealed bytes come back as they were, or not at all."""

import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sessions.conftest import CHEAP
from wigwag.adapters.sessions.sealed import CHUNK, MAGIC, TAG, seal, unseal
from wigwag.domain.errors import Conflict, GatewayError

HEADER = 56  # bytes
LENGTHS = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7]


def sealed(plain: bytes, passphrase: str = "right") -> bytes:
    return b"".join(seal([plain], passphrase, cost=CHEAP))


def unsealed(data: bytes, passphrase: str = "right") -> bytes:
    return b"".join(unseal(io.BytesIO(data), lambda: passphrase))


@given(st.lists(st.binary(max_size=3 * 1024)), st.text(min_size=1))
def test_what_was_sealed_in_any_pieces_comes_back(pieces: list[bytes], passphrase: str) -> None:
    data = b"".join(seal(pieces, passphrase, cost=CHEAP))
    assert unsealed(data, passphrase) == b"".join(pieces)


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths_around_a_chunk_come_back(length: int) -> None:
    plain = random.Random(length).randbytes(length)
    data = sealed(plain)
    assert unsealed(data) == plain
    assert len(data) == HEADER + length + TAG * max(1, -(-length // CHUNK))


def test_every_single_flipped_bit_of_a_small_file_is_refused() -> None:
    data = sealed(b"secret")
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(GatewayError):
            unsealed(bytes(flipped))


def test_every_truncation_of_a_small_file_is_refused() -> None:
    data = sealed(b"secret")
    for length in range(len(data)):
        with pytest.raises(GatewayError):
            unsealed(data[:length])


LONG = random.Random(7).randbytes(2 * CHUNK + 100)
SEALED = sealed(LONG)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_a_flipped_byte_anywhere_in_a_long_file_is_refused(at: int, change: int) -> None:
    flipped = bytearray(SEALED)
    flipped[at] ^= change
    with pytest.raises(GatewayError):
        unsealed(bytes(flipped))


@given(st.integers(0, len(SEALED) - 1) | st.sampled_from([HEADER + n * (CHUNK + TAG) for n in range(3)]))
def test_a_long_file_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(GatewayError):
        unsealed(SEALED[:length])


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2), (0, 0, 1, 2), (1, 2), (0, 1, 2, 2), (2,)], ids=str)
def test_chunks_that_were_moved_left_out_or_doubled_are_refused(order: tuple[int, ...]) -> None:
    size = CHUNK + TAG
    chunks = [SEALED[HEADER + n * size : HEADER + (n + 1) * size] for n in range(3)]
    with pytest.raises(GatewayError, match="damaged"):
        unsealed(SEALED[:HEADER] + b"".join(chunks[n] for n in order))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(GatewayError, match="damaged"):
        unsealed(SEALED + b"x")


def test_chunks_of_another_file_with_the_same_passphrase_are_refused() -> None:
    with pytest.raises(GatewayError, match="damaged"):
        unsealed(SEALED[:HEADER] + sealed(LONG)[HEADER:])


def test_the_same_bytes_are_never_sealed_to_the_same() -> None:
    assert sealed(b"secret")[HEADER:] != sealed(b"secret")[HEADER:]


@pytest.mark.parametrize(
    ("data", "passphrase", "kind", "words"),
    [
        (SEALED, "wrong", Conflict, "passphrase is wrong"),
        (SEALED[:HEADER] + b"\0" + SEALED[HEADER + 1 :], "right", GatewayError, "damaged"),
        (SEALED[:20] + b"\0" + SEALED[21:], "right", GatewayError, "damaged"),
        (b"PK\3\4 something else", "right", GatewayError, "no backup of wigwag"),
        (b"", "right", GatewayError, "no backup of wigwag"),
        (MAGIC + b"\2" + bytes(100), "right", Conflict, "newer wigwag"),
    ],
    ids=["wrong passphrase", "damaged chunk", "damaged header", "another file", "empty", "newer version"],
)
def test_what_is_wrong_is_told_apart(data: bytes, passphrase: str, kind: type[GatewayError], words: str) -> None:
    with pytest.raises(GatewayError, match=words) as refused:
        unsealed(data, passphrase)
    assert type(refused.value) is kind


def test_the_passphrase_is_not_asked_for_when_the_file_is_none() -> None:
    def ask() -> str:
        raise AssertionError("it asked")

    with pytest.raises(GatewayError, match="no backup of wigwag"):
        list(unseal(io.BytesIO(b"nonsense"), ask))
