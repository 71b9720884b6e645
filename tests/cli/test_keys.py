# SPDX-License-Identifier: Apache-2.0
"""`wigwag keys`: the first key in the database, the others from the gateway, and every verb shows the one it has."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command, House
from wigwag.cli.outcome import ExitCode


def test_the_first_key_is_made_where_no_gateway_runs(tmp_path: Path, wigwag: Command) -> None:
    line = ["keys", "create", "operator", "--scope", "admin", "--data", str(tmp_path)]
    made = wigwag(*line)
    assert made.stdout.startswith("wk_")
    assert "shown this once" in made.stderr
    (key,) = json.loads(wigwag("keys", "list", "--json", "--data", str(tmp_path)).stdout)
    assert (key["name"], key["scopes"], key["revoked_at"]) == ("operator", ["admin"], None)
    assert key["id"] == made.stdout.split("_")[1]
    assert wigwag("keys", "revoke", key["id"], "--data", str(tmp_path)).exit_code == 0
    assert "revoked" in wigwag("keys", "list", "--data", str(tmp_path)).stdout
    assert wigwag("keys", "revoke", "nosuch", "--data", str(tmp_path)).exit_code == ExitCode.FAILED


def test_from_the_first_key_on_every_verb_needs_one_and_shows_it(house: House, wigwag: Command, tmp_path: Path) -> None:
    assert "wigwag keys create" in wigwag("keys", "list", WIGWAG_URL=house.url).stdout
    made = wigwag("keys", "create", "operator", "--scope", "admin", "--json", WIGWAG_URL=house.url)
    key = json.loads(made.stdout)["key"]
    refused = wigwag("accounts", WIGWAG_URL=house.url)
    assert (refused.exit_code, "WIGWAG_API_KEY" in refused.stderr) == (ExitCode.REFUSED, True)
    assert wigwag("accounts", WIGWAG_URL=house.url, WIGWAG_API_KEY=key).exit_code == 0
    kept = tmp_path / "key"
    kept.write_text(f"{key}\n")
    line = ["keys", "create", "front desk", "--scope", "read", "--scope", "send", "--expires", "+90d"]
    shown = wigwag(*line, "--per-minute", "60", WIGWAG_URL=house.url, WIGWAG_API_KEY_FILE=str(kept)).stdout.strip()
    listed = wigwag("keys", "list", WIGWAG_URL=house.url, WIGWAG_API_KEY=key)
    assert listed.exit_code == 0, listed.stderr
    heads, *rows = listed.stdout.splitlines()
    assert heads.split() == ["Id", "Name", "Scopes", "State", "Used"]
    assert "good until" in rows[1]
    assert not any(secret in "".join(rows) for secret in (key, shown))
    assert wigwag("watch", "--once", WIGWAG_URL=house.url, WIGWAG_API_KEY=shown).exit_code == 0
    forbidden = wigwag("keys", "list", WIGWAG_URL=house.url, WIGWAG_API_KEY=shown)
    assert (forbidden.exit_code, "scope admin" in forbidden.stderr) == (ExitCode.REFUSED, True)
    assert wigwag("keys", "revoke", rows[1].split()[0], WIGWAG_URL=house.url, WIGWAG_API_KEY=key).exit_code == 0
    assert wigwag("accounts", WIGWAG_URL=house.url, WIGWAG_API_KEY=shown).exit_code == ExitCode.REFUSED


def test_a_key_that_cannot_be_read_is_told(wigwag: Command) -> None:
    result = wigwag("accounts", WIGWAG_API_KEY_FILE="/nowhere/at/all")
    assert (result.exit_code, "WIGWAG_API_KEY_FILE" in result.stderr) == (ExitCode.FAILED, True)


@pytest.mark.parametrize("verb", [["config", "check"], ["serve", "--port", "0"]])
def test_nothing_starts_where_strangers_could_come_in(verb: list[str], wigwag: Command, tmp_path: Path) -> None:
    given = {"APP_HOST": "0.0.0.0", "ENV": "production", "RABBITMQ_HOST": "127.0.0.1"}
    if verb[0] == "serve":
        given["APP_HOST"] = "127.0.0.1"  # tests listen on loopback alone
    result = wigwag(*verb, WHATSAPP_SESSION_PATH=str(tmp_path / "data"), **given)
    assert result.exit_code == ExitCode.FAILED
    assert "No API key" in result.stderr
    assert "RABBITMQ_PASSWORD" in result.stderr


def test_a_key_in_the_database_is_enough(wigwag: Command, tmp_path: Path) -> None:
    wigwag("keys", "create", "operator", "--scope", "admin", "--data", str(tmp_path))
    given = {"APP_HOST": "0.0.0.0", "WHATSAPP_SESSION_PATH": str(tmp_path)}
    assert wigwag("config", "check", **given).stdout == "The settings are right.\n"
