# SPDX-License-Identifier: Apache-2.0
"""`pair` shows what the gateway offers, renews it, and says when the phone has taken it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import Command, House, in_turn
from wigwag.cli import pair, qr
from wigwag.cli.client import Client
from wigwag.cli.outcome import Failure
from wigwag.domain.account import LinkSignal

PHONE = "15550001111"


def _steps(house: House, *pauses: Callable[[], None], now: Iterator[float] | None = None) -> list[dict[str, Any]]:
    """What is seen of the account; during each pause, something happens."""
    with Client(house.url) as gateway:
        clock = {"now": lambda: next(now)} if now else {}
        return list(pair.watch_pairing(gateway, "default", pause=in_turn(*pauses), **clock))


def test_each_new_code_is_shown_until_the_account_is_connected(house: House) -> None:
    steps = _steps(
        house,
        lambda: house.do(lambda trial: trial.whatsapp.offer_pairing("2@one")),
        lambda: house.do(lambda trial: trial.whatsapp.offer_pairing("2@two")),
        lambda: house.do(lambda trial: trial.connect()),
    )
    assert [(step["state"], step.get("qr")) for step in steps] == [
        ("connecting", None),
        ("pairing", "2@one"),
        ("pairing", "2@two"),
        ("connected", None),
    ]
    assert steps[-1]["jid"].startswith(PHONE)


def test_a_code_that_expired_a_moment_ago_is_not_shown(house: House) -> None:
    house.do(lambda trial: trial.whatsapp.offer_pairing("2@old", valid=5))
    house.pass_time(6)
    steps = _steps(house, lambda: house.do(lambda trial: trial.connect()))
    assert [(step["state"], step.get("qr")) for step in steps] == [("pairing", None), ("connected", None)]


def test_pairing_is_asked_for_when_it_is_not_on_offer_by_itself(house: House) -> None:
    house.do(lambda trial: trial.core.gateway.disconnect("default"))
    asked = house.trial.whatsapp.asked
    before = asked.count(("connect", "default"))
    _steps(house, lambda: None, lambda: house.do(lambda trial: trial.connect()))
    assert asked.count(("connect", "default")) == before + 1


def test_it_gives_up_with_the_advice_of_the_account(house: House) -> None:
    house.do(lambda trial: trial.whatsapp.tell_link(LinkSignal.OUTDATED))
    with pytest.raises(Failure, match="Upgrade wigwag"):
        _steps(house, now=iter([0.0, 100.0]))


def test_the_code_by_phone_number_is_asked_for_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    def offered(trial: Any) -> None:
        trial.whatsapp.offer_pairing("2@one")

    pauses = (
        lambda: house.do(offered),
        lambda: house.do(offered),
        lambda: house.do(lambda trial: trial.connect()),
    )
    with Client(house.url) as gateway:
        steps = pair.watch_pairing(gateway, "default", pause=in_turn(*pauses))
        assert pair.show_code(gateway, "default", PHONE, steps).startswith(PHONE)
    assert capsys.readouterr().out.count("CODE-1111") == 1


def test_without_a_terminal_each_code_is_printed_once(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    account = {"state": "pairing", "advice": "Scan the code", "jid": None, "expires_in_seconds": 20.0}
    steps = [{**account, "qr": "2@one"}] * 3 + [
        {**account, "qr": "2@two"},
        {**account, "state": "connected", "jid": PHONE},
    ]
    assert pair.show_qr(iter(steps)) == PHONE
    assert capsys.readouterr().out.count("Then scan this") == 2


def test_an_account_that_is_connected_is_not_paired_again(paired: House, wigwag: Command) -> None:
    assert wigwag("pair", WIGWAG_URL=paired.url).exit_code == 4


@pytest.mark.parametrize("colour", [True, False])
@given(code=st.text(st.characters(codec="ascii", exclude_categories=["C"]), min_size=1, max_size=250))
def test_the_picture_holds_every_module_of_the_code(colour: bool, code: str) -> None:
    lines = qr.draw(code, colour=colour).plain.split("\n")
    halves = {shape: pair for pair, shape in qr.BLOCKS.items()}
    drawn = [[halves[shape][half] for shape in line] for line in lines for half in (0, 1)]
    ink = 1 if colour else 0
    expected = [[int(module == ink) for module in row] for row in segno.make_qr(code, error="l").matrix_iter(border=2)]
    assert drawn[: len(expected)] == expected
    assert len(drawn) - len(expected) in (0, 1)
    assert {len(line) for line in lines} == {len(expected[0])}
