# SPDX-License-Identifier: Apache-2.0
"""`wigwag webhooks`: an operator's way through the life of an endpoint."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Command, House

TARGET = "https://example.com/hook"


@pytest.fixture
def endpoint(house: House, wigwag: Command) -> dict[str, Any]:
    """An endpoint, as `add` printed it."""
    return dict(json.loads(wigwag("webhooks", "add", TARGET, "--json", WIGWAG_URL=house.url).stdout))


def test_without_endpoints_the_list_says_what_to_do(house: House, wigwag: Command) -> None:
    assert "wigwag webhooks add" in wigwag("webhooks", "list", WIGWAG_URL=house.url).stdout


def test_the_secret_is_printed_once(house: House, wigwag: Command) -> None:
    line = ["webhooks", "add", TARGET, "--event", "message.*", "--account", "default", "--ordered"]
    made = wigwag(*line, WIGWAG_URL=house.url)
    name, *_words, secret = made.stdout.split()
    assert secret.startswith("whsec_")
    shown = json.loads(wigwag("webhooks", "show", name, "--json", WIGWAG_URL=house.url).stdout)
    assert (shown["events"], shown["accounts"], shown["ordered"]) == (["message.*"], ["default"], True)
    for other in (["list"], ["list", "--json"], ["show", name]):
        listed = wigwag("webhooks", *other, WIGWAG_URL=house.url)
        assert TARGET in listed.stdout
        assert secret not in listed.stdout


def test_a_test_is_seen_among_the_deliveries_and_replayed(
    house: House, wigwag: Command, endpoint: dict[str, Any]
) -> None:
    assert wigwag("webhooks", "test", endpoint["id"], WIGWAG_URL=house.url).exit_code == 0
    house.pass_time(1)
    _heads, row = wigwag("webhooks", "deliveries", endpoint["id"], WIGWAG_URL=house.url).stdout.splitlines()
    delivery, event, state, attempts, *_ago, answer = row.split()
    assert (event, state, attempts, answer) == ("webhook.test", "delivered", "1", "200")
    assert wigwag("webhooks", "replay", delivery, WIGWAG_URL=house.url).exit_code == 0
    house.pass_time(1)
    replayed = wigwag("webhooks", "replay", endpoint["id"], "--since", "1h", "--delivered", WIGWAG_URL=house.url)
    assert replayed.stdout == "1 deliveries are queued.\n"
    house.pass_time(1)
    assert len(house.trial.stores.postman.posts) == 3


def test_an_endpoint_that_is_gone_is_seen_and_enabled_again(
    house: House, wigwag: Command, endpoint: dict[str, Any]
) -> None:
    house.trial.stores.postman.answers[TARGET] = 410
    wigwag("webhooks", "test", endpoint["id"], WIGWAG_URL=house.url)
    house.pass_time(1)
    assert "disabled (gone)" in wigwag("webhooks", "list", WIGWAG_URL=house.url).stdout
    refused = wigwag("webhooks", "test", endpoint["id"], WIGWAG_URL=house.url)
    assert (refused.exit_code, "enable it first" in refused.stderr) == (4, True)
    assert "is enabled" in wigwag("webhooks", "enable", endpoint["id"], WIGWAG_URL=house.url).stdout
    assert "working" in wigwag("webhooks", "list", WIGWAG_URL=house.url).stdout


def test_a_rotation_prints_another_secret(house: House, wigwag: Command, endpoint: dict[str, Any]) -> None:
    rotated = wigwag("webhooks", "rotate", endpoint["id"], "--keep", "2", "--json", WIGWAG_URL=house.url)
    made = json.loads(rotated.stdout)
    assert made["secret"] != endpoint["secret"]
    assert made["old_secret_until"] is not None


def test_an_endpoint_is_removed_once(house: House, wigwag: Command, endpoint: dict[str, Any]) -> None:
    codes = [wigwag("webhooks", "remove", endpoint["id"], WIGWAG_URL=house.url).exit_code for _ in range(2)]
    assert codes == [0, 4]


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["add", "ftp://example.com"], 4, "not a URL that we may call"),
        (["add", TARGET, "--event", "nothing"], 4, "no such event"),
        (["replay", "wh_x", "--since", "soon"], 2, "is no time"),
        (["deliveries", "wh_x"], 4, "no such webhook"),
    ],
)
def test_what_is_wrong_is_said(house: House, wigwag: Command, line: list[str], code: int, words: str) -> None:
    result = wigwag("webhooks", *line, WIGWAG_URL=house.url)
    assert (result.exit_code, words in result.stderr) == (code, True)
