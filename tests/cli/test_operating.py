# SPDX-License-Identifier: Apache-2.0
"""`accounts`, `subscriptions`, `pace`, `groups` and `config`: what an operator sees and changes."""

import json

import pytest

from tests.cli.conftest import Command, House
from wigwag.cli.subscriptions import PRIORITIES
from wigwag.config import Settings
from wigwag.domain.account import LinkState
from wigwag.domain.errors import Refused, Restricted
from wigwag.domain.pacing import PRESETS, Pace
from wigwag.testing import Point, failing


def test_accounts_are_listed_with_advice(paired: House, wigwag: Command) -> None:
    _heads, default = wigwag("accounts", WIGWAG_URL=paired.url).stdout.splitlines()
    assert default.split()[:2] == ["default", "connected"]
    assert default.split()[-7:] == ["15550001111", "0", "0", "0", "All", "is", "well."]
    assert json.loads(wigwag("accounts", "--json", WIGWAG_URL=paired.url).stdout)[0]["state"] == "connected"
    assert (
        json.loads(wigwag("accounts", "show", "default", "--json", WIGWAG_URL=paired.url).stdout)["name"] == "default"
    )


def test_an_account_shows_what_waits_and_what_went_wrong(paired: House, wigwag: Command) -> None:
    paired.trial.whatsapp.hooks[Point.SEND] = failing(Refused(), Refused(), Restricted())
    for number in ("15550100001", "15550100002", "15550100003", "15550100004"):
        wigwag("send", number, "Hi", WIGWAG_URL=paired.url)
        paired.pass_time(1)
    _heads, default = wigwag("accounts", WIGWAG_URL=paired.url).stdout.splitlines()
    assert default.split("15550001111")[1].split()[:3] == ["2", "2", "0"]
    assert "WhatsApp refused a first message, so strangers wait until " in default


def test_the_life_of_an_account(paired: House, wigwag: Command) -> None:
    gateway = paired.trial.core.gateway
    for line in (["add", "sales"], ["appear", "sales", "off"], ["connect", "sales"], ["disconnect", "sales"]):
        result = wigwag("accounts", *line, WIGWAG_URL=paired.url)
        assert (result.exit_code, "sales" in result.stdout) == (0, True)
    assert (gateway.account("sales").appear, gateway.account("sales").state) == (False, LinkState.STOPPED)
    assert wigwag("accounts", "remove", "sales", WIGWAG_URL=paired.url).exit_code == 0
    assert [account.name for account in gateway.accounts()] == ["default"]


def test_an_account_in_use_is_not_removed(paired: House, wigwag: Command) -> None:
    wigwag("track", "15550100001", WIGWAG_URL=paired.url)
    result = wigwag("accounts", "remove", "default", WIGWAG_URL=paired.url)
    assert (result.exit_code, "untrack them first" in result.stderr) == (4, True)


def test_subscriptions_are_listed_counted_and_filtered(paired: House, wigwag: Command) -> None:
    wigwag("track", "15550100001", "--priority", "high", WIGWAG_URL=paired.url)
    paired.pass_time(1)
    paired.trial.whatsapp.answers = False
    wigwag("track", "15550100002", WIGWAG_URL=paired.url)
    paired.pass_time(1)
    counts, _heads, *rows = wigwag("subscriptions", WIGWAG_URL=paired.url).stdout.splitlines()
    assert counts == "2 subscriptions: 1 active, 0 stale, 0 failed, 0 queued."
    assert [row.split() for row in rows] == [
        ["15550100001", "active", "high", "0", "default"],
        ["15550100002", "pending", "medium", "0", "default"],
    ]
    some = json.loads(wigwag("subscriptions", "--state", "active", "--json", WIGWAG_URL=paired.url).stdout)
    assert [each["jid"] for each in some] == ["15550100001@s.whatsapp.net"]
    stats = json.loads(wigwag("subscriptions", "--stats", "--json", WIGWAG_URL=paired.url).stdout)
    assert stats == {"total_subscriptions": 2, "active": 1, "stale": 0, "failed": 0, "queue_length": 0}


def test_priorities_have_the_names_that_track_takes() -> None:
    assert list(PRIORITIES.values()) == ["high", "medium", "low"]


@pytest.mark.parametrize(
    ("line", "pace", "shown"),
    [
        ([], Pace(), ["medium: 20 contacts in a batch, 0.2 s after each, 5 s more after the batch.", "133", "40 s"]),
        (["careful"], PRESETS["careful"], ["careful: 10 contacts in a batch", "50", "1 min"]),
        (["--batch", "15", "--rest", "8"], PRESETS["large"], ["large: 15 contacts"]),
        (["small", "--gap", "0", "--rest", "0"], Pace(batch=30, gap=0, rest=0), ["own: 30", "any number of contacts"]),
    ],
)
def test_the_pace_is_shown_and_changed(
    line: list[str], pace: Pace, shown: list[str], paired: House, wigwag: Command
) -> None:
    result = wigwag("pace", *line, WIGWAG_URL=paired.url)
    assert result.exit_code == 0
    assert all(words in result.stdout for words in shown)
    assert paired.trial.core.gateway.pace() == pace
    assert json.loads(wigwag("pace", "--json", WIGWAG_URL=paired.url).stdout)["batch_size"] == pace.batch


def test_no_groups_are_said_so(paired: House, wigwag: Command) -> None:
    assert wigwag("groups", WIGWAG_URL=paired.url).stdout == "The account is in no group.\n"


def test_groups_need_a_link(house: House, wigwag: Command) -> None:
    house.do(lambda trial: trial.core.gateway.disconnect("default"))
    house.trial.whatsapp.rooms.clear()
    result = wigwag("groups", "--account", "nobody", WIGWAG_URL=house.url)
    assert (result.exit_code, result.stderr) == (4, "wigwag: There is no account of this name.\n")


def test_config_show_tells_where_each_value_came_from_and_keeps_secrets(wigwag: Command) -> None:
    result = wigwag(
        "config", "show", "--json", APP_PORT="9000", DB_URI="postgresql://me:hush@host/db", WIGWAG_METRICS_KEY="hush"
    )
    shown = {each["name"]: each for each in json.loads(result.stdout)}
    assert len(shown) == len(Settings.model_fields)
    assert (shown["APP_PORT"]["value"], shown["APP_PORT"]["source"], shown["APP_PORT"]["default"]) == (
        "9000",
        "APP_PORT",
        "8080",
    )
    assert (shown["APP_HOST"]["value"], shown["APP_HOST"]["source"]) == ("127.0.0.1", "default")
    assert shown["WIGWAG_STORAGE_URL or DB_URI"]["source"] == "DB_URI"
    assert all(each["meaning"] for each in shown.values())
    assert "hush" not in result.stdout


def test_config_show_works_when_something_is_wrong(wigwag: Command) -> None:
    result = wigwag("config", "show", APP_PORT="many")
    assert result.exit_code == 0
    assert "many" in result.stdout


def test_config_check_says_everything_at_once(wigwag: Command) -> None:
    wrong = {"APP_PORT": "many", "WIGWAG_SUBSCRIPTIONS_CAP": "0", "WIGWAG_METRICS_LABELS": "none"}
    result = wigwag("config", "check", **wrong)
    assert (result.exit_code, result.stdout) == (1, "")
    assert all(f"  {name}: " in result.stderr for name in wrong)


def test_config_check_finds_what_does_not_fit_together(wigwag: Command) -> None:
    result = wigwag("config", "check", WIGWAG_METRICS_LABELS="hashed")
    assert (result.exit_code, "WIGWAG_METRICS_KEY" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("wrong", "about"),
    [
        ({"WIGWAG_REALTIME_AUTH": "jwt"}, "WIGWAG_REALTIME_JWKS"),
        (
            {"WIGWAG_REALTIME_AUTH": "jwt", "WIGWAG_REALTIME_JWT_SECRET": "x" * 32, "WIGWAG_REALTIME_JWKS": "k"},
            "not both",
        ),
        ({"WIGWAG_REALTIME_JWT_SECRET": "x" * 31}, "32 bytes"),
        ({"WIGWAG_REALTIME_ORIGINS": "https://app.example.org,app.example.org"}, "WIGWAG_REALTIME_ORIGINS"),
        ({"WIGWAG_REALTIME_ORIGINS": "https://app.example.org/"}, "WIGWAG_REALTIME_ORIGINS"),
        ({"WIGWAG_USERS_DIRECTORY_URL": "mysql://me:hush@host/shop"}, "WIGWAG_USERS_CONTACTS_QUERY"),
    ],
)
def test_config_check_finds_how_users_cannot_come_in(wrong: dict[str, str], about: str, wigwag: Command) -> None:
    result = wigwag("config", "check", **wrong)
    assert (result.exit_code, about in result.stderr, "hush" in result.stderr) == (1, True, False)


def test_config_check_is_content_with_the_defaults(wigwag: Command) -> None:
    assert wigwag("config", "check").stdout == "The settings are right.\n"


def test_serve_refuses_wrong_settings_as_config_check_does(wigwag: Command) -> None:
    result = wigwag("serve", APP_PORT="many")
    assert (result.exit_code, "APP_PORT" in result.stderr) == (1, True)
