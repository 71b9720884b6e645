# SPDX-License-Identifier: Apache-2.0
"""Logs: what a line looks like where, what is masked, and what every line about a message or a link has."""

import json
import logging
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.desk import ANNA, START, job
from wigwag import logs
from wigwag.adapters import logbook
from wigwag.domain.account import Account, LinkState
from wigwag.domain.delivery import State
from wigwag.domain.events import AccountChanged, CallReported, DeliveryTried, Fact, JobChanged

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def line(production: bool, message: str, *arguments: object, **extra: object) -> str:
    record = logging.LogRecord("wigwag.x", logging.INFO, "x.py", 1, message, arguments, None)
    record.__dict__ |= extra
    return logs.formatter(production=production).format(record)


@pytest.mark.parametrize("production", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        "+91 9876543210 and 919876543210@s.whatsapp.net",
        919876543210,
        -919876543210,
        ["919876543210"],
        ("919876543210", 1),
        {"919876543210": "919876543210"},
        {"deep": [{"deeper": ANNA}]},
        {ANNA},
        ValueError("919876543210"),
        Path("/media/919876543210.jpg"),
        b"919876543210",
    ],
)
def test_no_value_of_any_shape_leaves_with_a_number_in_it(value: object, production: bool) -> None:
    written = line(production, "Hello %s", value, more=value)
    assert re.search(r"[0-9]{7,}", re.sub(r"T[0-9:.]+Z", "", written)) is None
    assert "91…10" in written


def test_a_traceback_leaves_without_numbers() -> None:
    record = logging.LogRecord("wigwag.x", logging.ERROR, "x.py", 1, "No", (), None)
    try:
        int("919876543210@")
    except ValueError:
        record.exc_info = sys.exc_info()
    written = logs.formatter(production=True).format(record)
    assert "Traceback" in written
    assert "919876543210" not in written


def test_numbers_that_are_nobodys_stay() -> None:
    said = json.loads(line(True, "Hello", port=65535, seconds=0.123456789, ok=True, nothing=None, trace_id=TRACE[3:35]))
    assert (said["port"], said["seconds"], said["ok"], said["nothing"]) == (65535, 0.123456789, True, None)
    assert said["trace_id"] == TRACE[3:35]
    assert (said["event"], said["level"], said["logger"]) == ("Hello", "info", "wigwag.x")


FACTS: list[Fact] = [
    *(JobChanged(before=job(), after=job(state=state, trace=TRACE, code="x"), at=START) for state in State),
    AccountChanged(before=Account(name="default"), after=Account(name="default", state=LinkState.BANNED), at=START),
    CallReported(account="default", caller=ANNA, call_id="1", at=START),
]


@pytest.mark.parametrize("fact", FACTS)
def test_what_concerns_a_message_or_a_link_has_its_account_and_its_trace(
    fact: Fact, caplog: pytest.LogCaptureFixture
) -> None:
    logbook.write(fact)
    [record] = caplog.records
    assert vars(record)["account"] == "default"
    assert (vars(record).get("trace_id") == TRACE[3:35]) is isinstance(fact, JobChanged)


def test_a_delivery_has_the_trace_of_its_event(caplog: pytest.LogCaptureFixture) -> None:
    tried = DeliveryTried(
        endpoint="wh_a", host="example.com", event="e", kind="message.sent", outcome="retry",
        attempts=1, status=503, code="", seconds=0.1, at=START, trace=TRACE,
    )  # fmt: skip
    logbook.write(tried)
    logbook.write(replace(tried, trace=None))
    assert [vars(record).get("trace_id") for record in caplog.records] == [TRACE[3:35], None]


PROGRAM = """
import logging, sys
from pathlib import Path
from wigwag import logs
production, debug, directory = eval(sys.argv[1])
logs.FILE_SIZE = 2_000
logs.set_up(production=production, debug=debug, directory=directory and Path(directory))
for number in range(100):
    logging.getLogger("wigwag").info("Line", extra={"action": "gateway.ready", "number": number})
logging.getLogger("wigwag").debug("In detail", extra={"action": "gateway.ready"})
logging.getLogger("uvicorn.access").info("919876543210")
logging.getLogger("whatsmeow.Client.QRChannel").debug("Emitting QR code")
"""


@pytest.mark.parametrize(("production", "debug", "to_file"), [(True, False, True), (False, True, False)])
def test_logging_is_set_up_as_the_settings_say(production: bool, debug: bool, to_file: bool, tmp_path: Path) -> None:
    directory = str(tmp_path / "logs") if to_file else None
    choice = repr((production, debug, directory))
    ran = subprocess.run([sys.executable, "-c", PROGRAM, choice], capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    lines = ran.stderr.splitlines()
    assert len(lines) == 100 + debug
    assert ("In detail" in ran.stderr) is debug
    assert all(each.startswith("{") for each in lines) is production
    if directory is not None:
        kept = sorted(path.name for path in Path(directory).iterdir())
        assert kept == ["wigwag.log", *(f"wigwag.log.{age}" for age in range(1, logs.FILES + 1))]
        assert json.loads(Path(directory, "wigwag.log").read_text().splitlines()[-1])["number"] == 99
