# SPDX-License-Identifier: Apache-2.0
"""What a gateway does not start with, where strangers could reach it."""

from typing import Any

import pytest

from wigwag.config import Settings
from wigwag.precautions import dangers, is_open_here, needs_a_key

KEY = "4f1d0c6b8e2a49d7b3c5a1f0e9d8c7b6"
SAFE: dict[str, Any] = {"ENV": "production", "APP_HOST": "0.0.0.0", "WIGWAG_API_KEY": KEY}


def settings(**environment: Any) -> Settings:
    return Settings(**environment)


@pytest.mark.parametrize(
    ("given", "keys", "wrong"),
    [
        ({}, False, False),
        ({"APP_HOST": "localhost"}, False, False),
        ({"APP_HOST": "0.0.0.0"}, False, True),
        ({"APP_HOST": "::"}, False, True),
        ({"APP_HOST": "192.0.2.7"}, True, False),
        ({"APP_HOST": "0.0.0.0", "WIGWAG_API_KEY": KEY}, False, False),
        ({"APP_HOST": "0.0.0.0", "APP_BASIC_AUTH": "anna:x"}, False, False),
        ({"APP_HOST": "0.0.0.0", "WIGWAG_METRICS_TOKEN": KEY}, False, True),
        ({"ENV": "production"}, False, True),
        ({"ENV": "production"}, True, False),
        ({"ENV": "production", "WIGWAG_API_KEY": KEY}, False, False),
    ],
)
def test_a_key_is_needed_in_production_and_where_others_can_reach_us(
    given: dict[str, str], keys: bool, wrong: bool
) -> None:
    found = dangers(settings(**given), keys=keys)
    assert ([each.partition(":")[0] for each in found] == ["No API key"]) is wrong
    assert bool(found) is wrong
    assert needs_a_key(settings(**given)) or not wrong


@pytest.mark.parametrize(("given", "open_"), [({}, True), ({"APP_HOST": "::"}, False), ({"ENV": "production"}, False)])
def test_this_machine_is_open_in_development_alone(given: dict[str, str], open_: bool) -> None:
    assert is_open_here(settings(**given)) is open_


@pytest.mark.parametrize(
    ("given", "about"),
    [
        ({"WIGWAG_API_KEY": "a" * 40}, "WIGWAG_API_KEY"),
        ({"APP_BASIC_AUTH": f"anna:{KEY},bert:secret"}, "APP_BASIC_AUTH"),
        ({"APP_BASIC_AUTH": "administrator:administrator"}, "APP_BASIC_AUTH"),
        ({"WIGWAG_METRICS_LABELS": "hashed", "WIGWAG_METRICS_KEY": "key"}, "WIGWAG_METRICS_KEY"),
        ({"WIGWAG_METRICS_TOKEN": "token"}, "WIGWAG_METRICS_TOKEN"),
        ({"WIGWAG_BACKUP_PASSPHRASE": "changeme"}, "WIGWAG_BACKUP_PASSPHRASE"),
        ({"WIGWAG_REALTIME_AUTH": "jwt", "WIGWAG_REALTIME_JWT_SECRET": "x" * 32}, "WIGWAG_REALTIME_JWT_SECRET"),
        ({"WIGWAG_REALTIME_AUTH": "trusted"}, "WIGWAG_REALTIME_AUTH"),
        ({"WIGWAG_REALTIME_ORIGINS": "*"}, "WIGWAG_REALTIME_ORIGINS"),
        ({"RABBITMQ_HOST": "rabbitmq"}, "RABBITMQ_PASSWORD"),
        ({"RABBITMQ_URL": "amqp://guest:guest@rabbitmq/"}, "RABBITMQ_URL"),
        ({"RABBITMQ_URL": "amqp://rabbitmq/"}, "RABBITMQ_URL"),
        ({"DB_URI": "postgresql://wigwag:wigwag@db/wigwag"}, "WIGWAG_STORAGE_URL"),
        ({"DB_URI": "mysql://anna:password1!@db/wigwag"}, "WIGWAG_STORAGE_URL"),
    ],
)
def test_production_refuses_secrets_that_are_none(given: dict[str, str], about: str) -> None:
    (found,) = dangers(settings(**SAFE | given), keys=True)
    assert found.startswith(about)
    assert all(value not in found for name, value in given.items() if name == about and value not in ("*", "trusted"))
    in_development = {name: value for name, value in given.items() if name != "ENV"}
    assert dangers(settings(**in_development), keys=True) == []


@pytest.mark.parametrize(
    "given",
    [
        {"APP_BASIC_AUTH": f"anna:{KEY}"},
        {"RABBITMQ_HOST": "rabbitmq", "RABBITMQ_PASSWORD": KEY},
        {"RABBITMQ_URL": f"amqp://guest:{KEY}@rabbitmq/"},
        {"DB_URI": f"postgresql://wigwag:{KEY}@db/wigwag"},
        {"DB_URI": "sqlite:////var/lib/wigwag/wigwag.db"},
        {"WIGWAG_REALTIME_ORIGINS": "https://app.example.org"},
    ],
)
def test_production_takes_good_ones(given: dict[str, str]) -> None:
    assert dangers(settings(**SAFE | given), keys=False) == []


def test_everything_is_said_at_once() -> None:
    bad = {"ENV": "production", "RABBITMQ_HOST": "rabbitmq", "WIGWAG_REALTIME_AUTH": "trusted"}
    found = dangers(settings(**bad), keys=False)
    assert [each.split()[0].partition("=")[0] for each in found] == ["No", "RABBITMQ_PASSWORD", "WIGWAG_REALTIME_AUTH"]


@pytest.mark.parametrize(
    "given",
    [
        {"WIGWAG_API_KEY": "short"},
        {"WIGWAG_API_KEY": "with spaces in it, but as long as it should be"},
        {"WIGWAG_API_KEY": KEY, "WIGWAG_API_KEY_FILE": "/nowhere"},
        {"WIGWAG_API_KEY_FILE": "/nowhere/at/all"},
        {"APP_BASIC_AUTH": "anna"},
        {"APP_BASIC_AUTH": "anna:,bert:x"},
        {"WIGWAG_HTTP_CORS_ORIGINS": "*"},
        {"WIGWAG_HTTP_CORS_ORIGINS": "https://app.example.org/path"},
    ],
)
def test_settings_that_make_no_sense_are_refused_everywhere(given: dict[str, str]) -> None:
    with pytest.raises(ValueError) as caught:
        settings(**given)
    assert "short" not in str(caught.value).replace("too short", "") or "input_value" in str(caught.value)
