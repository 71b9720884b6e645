# SPDX-License-Identifier: Apache-2.0
"""End-to-end encryption: conversations begin from either side, survive disorder, and refuse what was tampered with."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wigwag.simulator.curve import KeyPair, verify
from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.signal import Bundle, KeyStore, SignedPrekey, pad, unpad

A, B = "alice", "bob"


def introduced(*, one_time: bool = True) -> tuple[KeyStore, KeyStore]:
    """Alice has Bob's bundle and writes first; Bob has read nothing yet."""
    alice, bob = KeyStore(), KeyStore()
    bundle = bob.bundle()
    without = Bundle(registration=bundle.registration, identity=bundle.identity, signed=bundle.signed)
    alice.open(B, bundle if one_time else without)
    return alice, bob


def acquainted() -> tuple[KeyStore, KeyStore]:
    alice, bob = introduced()
    bob.decrypt(A, *alice.encrypt(B, b"hello"))
    alice.decrypt(B, *bob.encrypt(A, b"hello yourself"))
    return alice, bob


@pytest.mark.parametrize("one_time", [True, False])
def test_the_first_messages_open_a_conversation_with_or_without_a_one_time_prekey(one_time: bool) -> None:
    alice, bob = introduced(one_time=one_time)
    first, second = alice.encrypt(B, b"one"), alice.encrypt(B, b"two")
    assert (first[0], second[0]) == ("pkmsg", "pkmsg")
    assert [bob.decrypt(A, *first), bob.decrypt(A, *second)] == [b"one", b"two"]
    assert alice.decrypt(B, *bob.encrypt(A, b"three")) == b"three"
    assert alice.encrypt(B, b"four")[0] == "msg"


@settings(max_examples=40)
@given(st.lists(st.sampled_from("AB"), max_size=25), st.integers())
def test_messages_may_cross_and_arrive_in_any_order(turns: list[str], seed: int) -> None:
    alice, bob = acquainted()
    sent = []
    for number, who in enumerate(turns):
        store, to = (alice, B) if who == "A" else (bob, A)
        sent.append((who, str(number).encode(), store.encrypt(to, str(number).encode())))
    random.Random(seed).shuffle(sent)
    for who, text, message in sent:
        store, sender = (bob, A) if who == "A" else (alice, B)
        assert store.decrypt(sender, *message) == text


def test_late_messages_of_an_earlier_chain_are_still_read() -> None:
    alice, bob = acquainted()
    late = alice.encrypt(B, b"late")
    for _ in range(3):
        bob.decrypt(A, *alice.encrypt(B, b"ping"))
        alice.decrypt(B, *bob.encrypt(A, b"pong"))
    assert bob.decrypt(A, *late) == b"late"


def test_a_message_is_read_once() -> None:
    alice, bob = acquainted()
    message = alice.encrypt(B, b"once")
    skipped = alice.encrypt(B, b"late")
    for each in (message, alice.encrypt(B, b"ahead"), skipped):
        bob.decrypt(A, *each)
    for each in (message, skipped):
        with pytest.raises(SignalError, match="read before"):
            bob.decrypt(A, *each)


def test_a_message_too_far_ahead_is_refused() -> None:
    alice, bob = acquainted()
    for _ in range(2001):
        alice.encrypt(B, b"lost")
    with pytest.raises(SignalError, match="ahead"):
        bob.decrypt(A, *alice.encrypt(B, b"found"))


@settings(max_examples=60)
@given(st.integers(0, 1000), st.integers(1, 255))
def test_a_tampered_message_is_refused_and_leaves_the_conversation_intact(place: int, change: int) -> None:
    alice, bob = acquainted()
    kind, message = alice.encrypt(B, b"true")
    at = place % len(message)
    false = message[:at] + bytes([message[at] ^ change]) + message[at + 1 :]
    with pytest.raises(SignalError):
        bob.decrypt(A, kind, false)
    assert bob.decrypt(A, kind, message) == b"true"


def test_a_one_time_prekey_opens_one_conversation() -> None:
    bob, bundle = (store := KeyStore()), store.bundle()
    first, second = KeyStore(), KeyStore()
    first.open(B, bundle)
    second.open(B, bundle)
    bob.decrypt("first", *first.encrypt(B, b"hello"))
    with pytest.raises(SignalError, match="one-time prekey"):
        bob.decrypt("second", *second.encrypt(B, b"hello"))


def test_both_may_begin_at_once_and_still_understand_each_other() -> None:
    alice, bob = KeyStore(), KeyStore()
    alice.open(B, bob.bundle())
    bob.open(A, alice.bundle())
    crossing = alice.encrypt(B, b"from alice"), bob.encrypt(A, b"from bob")
    assert bob.decrypt(A, *crossing[0]) == b"from alice"
    assert alice.decrypt(B, *crossing[1]) == b"from bob"
    assert bob.decrypt(A, *alice.encrypt(B, b"again")) == b"again"
    assert alice.decrypt(B, *bob.encrypt(A, b"again")) == b"again"


def test_a_bundle_with_a_false_signature_is_refused() -> None:
    bundle = KeyStore().bundle()
    forged = SignedPrekey(id=1, public=KeyPair.generate().public, signature=bundle.signed.signature)
    with pytest.raises(SignalError, match="not signed"):
        KeyStore().open(B, Bundle(registration=1, identity=bundle.identity, signed=forged))


def test_a_message_without_a_conversation_is_refused() -> None:
    alice, _ = acquainted()
    with pytest.raises(SignalError, match="no conversation"):
        KeyStore().decrypt(A, *alice.encrypt(B, b"who are you"))


@given(st.binary(max_size=120))
def test_rubbish_is_refused(data: bytes) -> None:
    _, bob = acquainted()
    for kind in ("msg", "pkmsg"):
        with pytest.raises(SignalError):
            bob.decrypt(A, kind, data)


@given(st.binary())
def test_padding_is_taken_off_as_it_was_put_on(plain: bytes) -> None:
    assert unpad(pad(plain)) == plain


@given(st.binary(max_size=64))
def test_a_signature_holds_for_its_message_and_its_key_alone(message: bytes) -> None:
    pair = KeyPair.generate()
    signature = pair.sign(message)
    assert verify(pair.public, message, signature)
    assert not verify(pair.public, message + b"x", signature)
    assert not verify(KeyPair.generate().public, message, signature)
    assert not verify(pair.public, message, signature[:-1])
