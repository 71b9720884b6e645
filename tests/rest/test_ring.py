# SPDX-License-Identifier: Apache-2.0
"""The ring: whoever was away goes on without a gap, or is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wigwag.adapters.rest.stream.ring import Reset, Ring, Told


class Model:
    """A client that shows a set of numbers: it reads all anew at a reset, and else applies what comes."""

    def __init__(self) -> None:
        self.truth, self.shown = set[int](), set[int]()
        self.born = 0
        self.restart()
        self.position = self.ring.position(0)

    def restart(self) -> None:
        self.born += 1
        self.ring = Ring(f"e{self.born}", lambda fact: Told(kind="", account="", about=(), data=b"%d" % fact), 10)

    def happen(self, times: int) -> None:
        for number in range(len(self.truth) + 1, len(self.truth) + 1 + times):
            self.truth.add(number)
            self.ring.append(number)

    def erase(self) -> None:
        if gone := max(self.truth, default=0):
            self.truth.discard(gone)
            self.ring.forget(lambda fact: fact == gone)
            self.ring.append(-gone)

    def read(self) -> None:
        """Come back, and catch up."""
        found = self.ring.number_of(self.position)
        if isinstance(found, Reset):
            self.shown, found = set(self.truth), self.ring.last
        for entry in self.ring.after(found, 1000):
            assert entry.told
            number = int(entry.told.data)
            if number > 0:
                self.shown.add(number)
            else:
                self.shown.discard(-number)
        self.position = self.ring.position(self.ring.last)


@given(st.lists(st.integers(1, 12) | st.sampled_from(["restart", "read", "erase"]), max_size=40))
def test_a_client_knows_everything_or_knows_that_it_does_not(steps: list[int | str]) -> None:
    model = Model()
    for step in [*steps, "read"]:
        if isinstance(step, int):
            model.happen(step)
        else:
            getattr(model, step)()
    assert model.shown == model.truth


@pytest.mark.parametrize("position", ["", "x", "now", "now-", "now--1", "now-x", "now-9", f"now-{'9' * 40}", "then-1"])
def test_a_position_that_is_none_of_ours_is_no_place_to_go_on(position: str) -> None:
    ring = Ring("now", lambda _fact: None, 4)
    ring.append(1)
    assert ring.number_of(position) is Reset.RESTARTED
