# SPDX-License-Identifier: Apache-2.0
"""`wigwag doctor` names the cause: an installation in which all is well but for one thing that is really wrong."""

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx
import pytest
from redis import Redis
from typer.testing import CliRunner

from tests import servers
from tests.acceptance.processes import Process, wigwag
from tests.cli.conftest import House
from tests.servers import find, free_port, unavailable
from wigwag.adapters.sessions import guarded, standing
from wigwag.cli import app
from wigwag.compose.doctor import Verdict
from wigwag.domain.account import LinkSignal
from wigwag.domain.webhooks import Wish
from wigwag.testing import Trial

T = TypeVar("T")
BAN = 3600.0  # seconds
PATIENCE = 60.0  # seconds, as a safety net


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with wigwag("simulate", log=tmp_path_factory.mktemp("simulator") / "log") as process:
        yield process


@dataclass
class Installation:
    """Settings of an installation, and the gateway that runs in it."""

    settings: dict[str, str]
    folder: Path
    house: House
    request: pytest.FixtureRequest

    def server(self, name: str) -> str:
        """The URL of a real server."""
        url: str = self.request.getfixturevalue(name)
        return url

    def enter(self, process: AbstractContextManager[T]) -> T:
        """Let a process run for the time of the test."""
        running = process.__enter__()
        self.request.addfinalizer(lambda: process.__exit__(None, None, None))
        return running

    def examined(self) -> tuple[int, list[dict[str, str]]]:
        done = CliRunner().invoke(app, ["doctor", "--json"], env=self.settings, catch_exceptions=False)
        return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def installation(tmp_path: Path, simulator: Process, house: House, request: pytest.FixtureRequest) -> Installation:
    """One in which all is well."""
    folder = tmp_path / "session"
    folder.mkdir(mode=0o700)
    house.do(lambda trial: trial.connect())
    settings = {
        "WHATSAPP_SESSION_PATH": str(folder),
        "WHATSAPP_SIMULATOR_URL": simulator.url,
        "WIGWAG_URL": house.url,
        "WIGWAG_OUTGOING_ALLOW": "127.0.0.0/8",
    }
    return Installation(settings, folder, house, request)


# --- what is made wrong: each is given an installation in which all is well


def settings_that_do_not_fit(here: Installation) -> None:
    here.settings |= {"WIGWAG_METRICS_LABELS": "hashed"}


def a_port_that_is_none(here: Installation) -> None:
    here.settings |= {"APP_PORT": "eighty"}


def production_without_a_key(here: Installation) -> None:
    here.settings |= {"ENV": "production"}


def a_gateway_that_wants_a_key(here: Installation) -> None:
    more = {name: value for name, value in here.settings.items() if name.startswith("WHATSAPP_")}
    more |= {"WIGWAG_API_KEY": "0123456789abcdef" * 4, "WHATSAPP_SESSION_PATH": str(here.folder.parent / "its")}
    gateway = here.enter(wigwag("serve", log=here.folder.parent / "log", more=more))
    here.settings["WIGWAG_URL"] = gateway.url


def a_file_for_a_folder(here: Installation) -> None:
    here.folder.rmdir()
    here.folder.touch()


def sessions_that_others_can_read(here: Installation) -> None:
    here.folder.chmod(0o755)


def a_broken_fence(here: Installation) -> None:
    (here.folder / "generations.json").write_text("{")


def a_database_without_a_server(here: Installation) -> None:
    here.settings["WIGWAG_STORAGE_URL"] = f"postgresql://wigwag:secret@127.0.0.1:{free_port()}/wigwag"


def a_database_that_is_not_there(here: Installation) -> None:
    here.settings["WIGWAG_STORAGE_URL"] = here.server("postgres_url").replace("/postgres", "/elsewhere")


def a_wrong_database_password(here: Installation) -> None:
    here.settings["WIGWAG_STORAGE_URL"] = here.server("mariadb_url").replace("root@", "root:wrong@")


def a_database_of_a_newer_version(here: Installation) -> None:
    with closing(sqlite3.connect(here.folder / "wigwag.db")) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")


def a_wrong_broker_password(here: Installation) -> None:
    here.settings["RABBITMQ_URL"] = here.server("rabbitmq").replace("wigwag:wigwag", "wigwag:wrong")


def a_virtual_host_that_is_not_there(here: Installation) -> None:
    here.settings["RABBITMQ_URL"] = f"{here.server('rabbitmq').rpartition('/')[0]}/elsewhere"


def a_queue_with_other_arguments(here: Installation) -> None:
    declare, name = find("amqp-declare-queue"), f"classic_{free_port()}"
    if declare is None:
        unavailable("amqp-declare-queue not found. Run `make servers`.")
    url = here.server("rabbitmq")
    subprocess.run([declare, f"--url={url}", "--durable", f"--queue={name}"], check=True, capture_output=True)
    here.settings |= {"RABBITMQ_URL": url, "WHATSAPP_QUEUE_NAME": name}


def no_broker(here: Installation) -> None:
    here.settings |= {"RABBITMQ_HOST": "127.0.0.1", "RABBITMQ_PORT": str(free_port())}


def no_redis(here: Installation) -> None:
    here.settings |= {"WIGWAG_REALTIME_AUTH": "trusted", "REDIS_URL": f"redis://:canary@127.0.0.1:{free_port()}/0"}


def a_wrong_redis_password(here: Installation) -> None:
    with Redis.from_url(own_redis(here)) as client:
        client.config_set("requirepass", "right")
    here.settings["REDIS_URL"] = here.settings["REDIS_URL"].replace("//", "//:canary@")


def a_redis_that_may_forget(here: Installation) -> None:
    with Redis.from_url(own_redis(here)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")


def own_redis(here: Installation) -> str:
    url = here.enter(servers.private(servers.REDIS)).url
    here.settings |= {"WIGWAG_REALTIME_AUTH": "trusted", "REDIS_URL": url}
    return url


def no_simulator(here: Installation) -> None:
    here.settings["WHATSAPP_SIMULATOR_URL"] = f"http://127.0.0.1:{free_port()}"


def no_gateway(here: Installation) -> None:
    here.settings["WIGWAG_URL"] = f"http://127.0.0.1:{free_port()}"


def another_program_on_the_port(here: Installation) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_words: object) -> None:
            pass

    other = HTTPServer(("127.0.0.1", 0), Other)
    Thread(target=other.serve_forever, name="other", daemon=True).start()
    here.request.addfinalizer(other.server_close)
    here.request.addfinalizer(other.shutdown)
    here.settings["WIGWAG_URL"] = f"http://127.0.0.1:{other.server_port}"


def an_account_without_a_phone(here: Installation) -> None:
    here.house.do(lambda trial: trial.whatsapp.tell_link(LinkSignal.LOGGED_OUT))


def a_banned_account(here: Installation) -> None:
    here.house.do(lambda trial: trial.whatsapp.tell_link(LinkSignal.BANNED, until=trial.clock.now() + BAN))


def with_webhook(url: str) -> Callable[[Trial], Any]:
    return lambda trial: trial.core.webhooks.add(Wish(url=url))


def a_webhook_that_nobody_hears(here: Installation) -> None:
    here.house.do(with_webhook(f"http://127.0.0.1:{free_port()}/hook?token=canary"))


def a_webhook_into_our_own_network(here: Installation) -> None:
    here.settings["WIGWAG_OUTGOING_ALLOW"] = ""
    here.house.do(with_webhook(f"{here.house.url}/hook?token=canary"))


MISTAKES: list[tuple[Callable[[Installation], None], str, str]] = [  # what is wrong, which part says so, in which words
    (settings_that_do_not_fit, "settings", "WIGWAG_METRICS_KEY"),
    (a_port_that_is_none, "settings", "APP_PORT"),
    (production_without_a_key, "settings", "No API key"),
    (a_file_for_a_folder, "sessions", "is no folder"),
    (sessions_that_others_can_read, "sessions", "others on this machine can read"),
    (a_broken_fence, "sessions", "generations.json cannot be read"),
    (a_database_without_a_server, "database", "nobody who listens"),
    (a_database_that_is_not_there, "database", "elsewhere at 127.0.0.1"),
    (a_wrong_database_password, "database", "refuses the user or the password"),
    (a_database_of_a_newer_version, "database", "newer wigwag"),
    (a_wrong_broker_password, "broker", "refuses the login"),
    (a_virtual_host_that_is_not_there, "broker", "virtual host"),
    (a_queue_with_other_arguments, "broker", "exists with other arguments"),
    (no_broker, "broker", "does not answer"),
    (no_redis, "redis", "does not answer"),
    (a_wrong_redis_password, "redis", "refuses the user or the password"),
    (a_redis_that_may_forget, "redis", "maxmemory-policy allkeys-lru"),
    (no_simulator, "whatsapp", "no simulator answers"),
    (no_gateway, "gateway", "no gateway answers"),
    (another_program_on_the_port, "gateway", "is not wigwag"),
    (a_gateway_that_wants_a_key, "gateway", "wants an API key"),
    (an_account_without_a_phone, "account default", "logged out"),
    (a_banned_account, "account default", "banned"),
    (a_webhook_that_nobody_hears, "webhook wh_", "did not answer"),
    (a_webhook_into_our_own_network, "webhook wh_", "WIGWAG_OUTGOING_ALLOW"),
]


@pytest.mark.parametrize(("mistake", "part", "words"), MISTAKES, ids=lambda given: getattr(given, "__name__", ""))
def test_the_cause_is_named_and_nothing_else(
    mistake: Callable[[Installation], None], part: str, words: str, installation: Installation
) -> None:
    mistake(installation)
    code, found = installation.examined()
    wrong = [finding for finding in found if finding["verdict"] == Verdict.WRONG]
    assert [(finding["part"].startswith(part), words in finding["found"]) for finding in wrong] == [(True, True)], found
    assert code == 1
    assert wrong[0]["advice"]
    assert "canary" not in json.dumps(found)


def test_where_all_is_well_nothing_is_wrong_and_nothing_is_changed(installation: Installation) -> None:
    installation.settings["WIGWAG_STORAGE_URL"] = installation.server("postgres_url")
    installation.settings["RABBITMQ_URL"] = installation.server("rabbitmq")
    installation.settings["WHATSAPP_QUEUE_NAME"] = f"untouched_{free_port()}"
    installation.settings |= {"WIGWAG_REALTIME_AUTH": "trusted", "REDIS_URL": installation.server("redis")}
    installation.house.do(with_webhook(f"{installation.house.url}/hook"))
    code, found = installation.examined()
    assert [finding for finding in found if finding["verdict"] == Verdict.WRONG] == []
    assert code == 0
    parts = {finding["part"].partition(" ")[0] for finding in found}
    assert {
        "settings",
        "disk",
        "sessions",
        "database",
        "broker",
        "redis",
        "whatsapp",
        "gateway",
        "account",
        "webhook",
    } <= parts
    assert list(installation.folder.iterdir()) == []
    again = installation.examined()[1]
    assert [each for each in again if each["part"] != "disk"] == [each for each in found if each["part"] != "disk"]


def test_a_gateway_finds_around_itself_what_doctor_finds_there(installation: Installation) -> None:
    no_broker(installation)
    more = {name: value for name, value in installation.settings.items() if name != "WIGWAG_URL"}
    gateway = installation.enter(wigwag("serve", log=installation.folder.parent / "log", more=more))
    installation.settings["WIGWAG_URL"] = gateway.url
    theirs = httpx.get(f"{gateway.url}/api/system/findings", timeout=PATIENCE).json()
    _code, ours = installation.examined()
    around = [each for each in ours if each["part"].split()[0] not in ("settings", "gateway:", "gateway", "account")]
    names = ("part", "verdict", "advice")  # the words of the machine's errors are not the same in each event loop
    assert [[each[name] for name in names] for each in theirs] == [[each[name] for name in names] for each in around]
    assert [each["part"] for each in theirs if each["verdict"] == Verdict.WRONG] == ["broker"]


def test_for_people_it_says_what_to_do_and_how_many(installation: Installation) -> None:
    no_gateway(installation)
    done = CliRunner().invoke(app, ["doctor"], env=installation.settings)
    lines = done.stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("✗ gateway: no gateway answers"))
    assert "wigwag serve" in lines[at + 1]
    assert lines[-1].endswith("things are wrong: gateway.")
    assert done.exit_code == 1


def test_who_uses_the_sessions_is_told_without_disturbing_them(tmp_path: Path) -> None:
    with guarded(tmp_path):
        assert standing(tmp_path).owner == str(os.getpid())
    assert standing(tmp_path).owner == ""
