# SPDX-License-Identifier: Apache-2.0
"""Facts: they cannot be changed under way, they carry their instant, and a secret never shows in a repr."""

from dataclasses import is_dataclass
from typing import get_args

import pytest

from wigwag.domain.events import Fact, PairingOffered, PresenceReported, Report
from wigwag.domain.ids import Jid
from wigwag.domain.presence import PresenceChanged, Signal

KINDS = [*get_args(Report), *get_args(Fact)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_is_frozen_and_says_when(kind: type) -> None:
    if kind is PresenceChanged:
        assert issubclass(kind, tuple)
        assert "at" in PresenceChanged._fields
        return
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]  # dataclasses keep their options there
    assert hasattr(kind, "__slots__")
    assert kind.__dataclass_fields__["at"].kw_only


def test_a_pairing_code_does_not_show_in_logs() -> None:
    assert "2@secret" not in repr(PairingOffered(account="default", qr="2@secret", at=1.0, expires=21.0))


def test_a_presence_without_last_seen_hides_it() -> None:
    report = PresenceReported(account="default", jid=Jid("1"), signal=Signal.UNAVAILABLE, at=1.0)
    assert report.last_seen != report.last_seen
