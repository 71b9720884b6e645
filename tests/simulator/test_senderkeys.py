# SPDX-License-Identifier: Apache-2.0
"""The encryption of groups: who has the key reads on from there, once and in any order, and notices tampering."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wigwag.simulator.ratchet import SignalError
from wigwag.simulator.senderkeys import GroupKeys

GROUP, ALICE = "120363", ("alice", 0)


def told() -> tuple[GroupKeys, GroupKeys]:
    """Alice and somebody whom she has told her key."""
    alice, bob = GroupKeys(), GroupKeys()
    bob.learn(GROUP, ALICE, alice.ours(GROUP).distribution())
    return alice, bob


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=40), max_size=12), st.integers())
def test_messages_are_read_in_any_order(texts: list[bytes], seed: int) -> None:
    alice, bob = told()
    sent = [(text, alice.ours(GROUP).encrypt(text)) for text in texts]
    random.Random(seed).shuffle(sent)
    assert [bob.decrypt(GROUP, ALICE, message) for _, message in sent] == [text for text, _ in sent]


def test_who_is_told_late_reads_only_what_follows() -> None:
    alice, bob = GroupKeys(), GroupKeys()
    before = alice.ours(GROUP).encrypt(b"before")
    bob.learn(GROUP, ALICE, alice.ours(GROUP).distribution())
    assert bob.decrypt(GROUP, ALICE, alice.ours(GROUP).encrypt(b"after")) == b"after"
    with pytest.raises(SignalError, match="read before"):
        bob.decrypt(GROUP, ALICE, before)


def test_a_key_that_is_told_again_stays_where_it_was() -> None:
    alice, bob = told()
    late = alice.ours(GROUP).encrypt(b"late")
    bob.learn(GROUP, ALICE, alice.ours(GROUP).distribution())
    assert bob.decrypt(GROUP, ALICE, late) == b"late"


def test_a_message_is_read_once() -> None:
    alice, bob = told()
    message = alice.ours(GROUP).encrypt(b"once")
    bob.decrypt(GROUP, ALICE, message)
    with pytest.raises(SignalError, match="read before"):
        bob.decrypt(GROUP, ALICE, message)


def test_after_a_key_is_forgotten_the_old_one_reads_nothing_more() -> None:
    alice, bob = told()
    alice.forget(GROUP)
    message = alice.ours(GROUP).encrypt(b"secret")
    with pytest.raises(SignalError, match="no sender key"):
        bob.decrypt(GROUP, ALICE, message)
    bob.learn(GROUP, ALICE, alice.ours(GROUP).distribution())


@pytest.mark.parametrize(("group", "sender"), [("120364", ALICE), (GROUP, ("bob", 0))])
def test_a_key_is_for_one_group_and_one_member(group: str, sender: tuple[str, int]) -> None:
    alice, bob = told()
    with pytest.raises(SignalError, match="no sender key"):
        bob.decrypt(group, sender, alice.ours(GROUP).encrypt(b"hello"))


@settings(max_examples=40)
@given(st.integers(0, 1000), st.integers(1, 255))
def test_a_tampered_message_is_refused_and_changes_nothing(place: int, change: int) -> None:
    alice, bob = told()
    message = alice.ours(GROUP).encrypt(b"true")
    at = place % len(message)
    with pytest.raises(SignalError):
        bob.decrypt(GROUP, ALICE, message[:at] + bytes([message[at] ^ change]) + message[at + 1 :])
    assert bob.decrypt(GROUP, ALICE, message) == b"true"


@given(st.binary(max_size=120))
def test_rubbish_is_refused(data: bytes) -> None:
    _, bob = told()
    with pytest.raises(SignalError):
        bob.decrypt(GROUP, ALICE, data)
    with pytest.raises(SignalError):
        bob.learn(GROUP, ALICE, data)
