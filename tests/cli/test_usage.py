# SPDX-License-Identifier: Apache-2.0
"""What the command line promises to the shell: help, exit codes, and sentences instead of tracebacks."""

import http.server
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Command, House
from wigwag import __version__
from wigwag.cli import app
from wigwag.cli.outcome import ExitCode

VERBS = [
    ["demo"], ["serve"], ["simulate"], ["watch"], ["track"], ["untrack"], ["erase"], ["subscriptions"], ["groups"],
    ["pair"], ["pace"], ["accounts"], ["config", "show"], ["config", "check"], ["backup"], ["restore"],
    ["send"], ["messages"], ["templates"], ["dlq", "list"], ["dlq", "replay"], ["dlq", "drop"],
    ["webhooks", "add"], ["webhooks", "replay"], ["dashboards", "export"],
    ["doctor"], ["keys", "create"], ["mcp"],
]  # fmt: skip
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
ANNA = "919876543210"
ASKING = [
    ["watch"], ["watch", "--once"], ["track", ANNA], ["untrack", ANNA], ["erase", ANNA, "--yes"],
    ["subscriptions"], ["groups"], ["pair"], ["pace"], ["accounts"], ["accounts", "show", "x"],
    ["accounts", "add", "x"], ["accounts", "connect", "x"], ["accounts", "disconnect", "x"],
    ["accounts", "remove", "x"], ["accounts", "appear", "x", "off"],
    ["send", ANNA, "Hi"], ["send", ANNA, "Hi", "--wait"], ["messages"], ["messages", "show", "x"],
    ["messages", "cancel", "x"], ["messages", "retry", "x"], ["messages", "chat", ANNA],
    ["templates"], ["templates", "show", "x"], ["templates", "set", "x", "Hi"], ["templates", "remove", "x"],
    ["dlq", "list"], ["dlq", "show", "x"], ["dlq", "replay", "--all"], ["dlq", "drop", "x"],
    ["webhooks", "list"], ["webhooks", "add", "https://example.com"], ["webhooks", "show", "x"],
    ["webhooks", "remove", "x"], ["webhooks", "rotate", "x"], ["webhooks", "test", "x"], ["webhooks", "enable", "x"],
    ["webhooks", "deliveries", "x"], ["webhooks", "replay", "x-1"],
    ["keys", "list"], ["keys", "create", "x", "--scope", "read"], ["keys", "revoke", "x"], ["mcp"],
]  # fmt: skip


def _words(line: list[str]) -> str:
    return " ".join(line)


@pytest.mark.parametrize("verb", VERBS, ids=_words)
def test_help_has_examples(verb: list[str], wigwag: Command) -> None:
    result = wigwag(*verb, "--help")
    assert result.exit_code == 0
    assert f"wigwag {' '.join(verb)}" in result.stdout.partition("Examples:")[2]


def test_every_verb_is_in_the_help(wigwag: Command) -> None:
    shown = wigwag("--help").stdout
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    names |= {str(group.name) for group in app.registered_groups}
    assert names == {verb[0] for verb in VERBS}
    assert all(f"│ {name} " in shown for name in names)


def test_version(wigwag: Command) -> None:
    assert wigwag("--version").stdout == f"wigwag {__version__}\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["wave"], "No such command"),
        (["watch", "--interval", "0"], "--interval"),
        (["watch", "--url", "nonsense"], "is no address of a gateway"),
        (["watch", "--url", "http://[::"], "is no address of a gateway"),
        (["track"], "whom?"),
        (["track", "12"], "12: This is not a WhatsApp address"),
        (["track", "919876543210", "919123456789", "--name", "Both"], "--name goes with one number"),
        (["track", "919876543210", "--priority", "urgent"], "high"),
        (["track", "--file", "no-such-file.csv"], "no-such-file.csv"),
        (["untrack"], "Missing argument"),
        (["untrack", "x@g.us"], "not a WhatsApp group"),
        (["erase", "nobody"], "not a WhatsApp address"),
        (["pace", "furious"], "furious"),
        (["serve", "--port", "70000"], "--port"),
        (["send", "919876543210"], "what? Give a text, --file or --template."),
        (["send", "919876543210", "Hi", "--template", "welcome"], "what?"),
        (["send", "919876543210", "Hi", "--file", "no-such-file.jpg"], "no-such-file.jpg"),
        (["send", "919876543210", "Hi", "--caption", "x"], "--type and --caption go with --file"),
        (["send", "919876543210", "Hi", "--type", "poll"], "poll"),
        (["send", "919876543210", "Hi", "--value", "a=b"], "--value goes with --template"),
        (["send", "919876543210", "--template", "x", "--value", "ab"], "'ab' has no ="),
        (["send", "919876543210", "Hi", "--at", "soon"], "'soon' is no time"),
        (["send", "919876543210", "Hi", "--at", "2001-01-01T00:00Z"], "has passed already"),
        (["messages", "--state", "lost"], "lost"),
        (["messages", "--limit", "0"], "--limit"),
    ],
    ids=lambda value: _words(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2(line: list[str], words: str, wigwag: Command) -> None:
    result = wigwag(*line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


@pytest.mark.parametrize("line", ASKING, ids=_words)
def test_no_gateway_ends_with_3_and_says_how_to_start_one(line: list[str], wigwag: Command) -> None:
    result = wigwag(*line, WIGWAG_URL=NOBODY)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"no gateway answers at {NOBODY}" in result.stderr
    assert "wigwag serve" in result.stderr


@pytest.fixture
def stranger() -> Iterator[str]:
    """A server that is no gateway: it says a word to everybody."""

    class Stranger(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_another_program_on_the_port_is_told_apart(stranger: str, wigwag: Command) -> None:
    result = wigwag("watch", "--url", stranger)
    assert (result.exit_code, result.stderr) == (3, f"wigwag: what answers at {stranger} is not wigwag.\n")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["untrack", "919876543210"], "919876543210: "),
        (["untrack", "120363400902171371@g.us"], "120363400902171371@g.us: "),
        (["track", "919876543210", "--account", "sales"], "There is no account of this name."),
        (["accounts", "show", "sales"], "There is no account of this name."),
        (["accounts", "add", "default"], "There is an account of this name already."),
        (["accounts", "add", "Sales Team"], "An account's name is"),
        (["pair", "sales"], "There is no account of this name."),
        (["pair"], "paired and connected already"),
    ],
    ids=lambda value: _words(value) if isinstance(value, list) else "",
)
def test_a_refusal_ends_with_4_and_the_reason(line: list[str], words: str, paired: House, wigwag: Command) -> None:
    result = wigwag(*line, WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert words in result.stderr


def test_a_taken_port_is_said_before_anything_starts(house: House, wigwag: Command) -> None:
    for verb in ("serve", "demo", "simulate"):
        result = wigwag(verb, "--port", str(house.port))
        assert result.exit_code == 1
        assert f"cannot listen on 127.0.0.1:{house.port}" in result.stderr
        assert "--port" in result.stderr


def test_ctrl_c_ends_with_130(paired: House) -> None:
    command = [sys.executable, "-m", "wigwag", "watch", "--url", paired.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("0 contacts")
            process.send_signal(signal.SIGINT)
            _, complaints = process.communicate(timeout=20)
        finally:
            process.kill()
    assert (process.returncode, complaints) == (130, "")


def test_names_that_a_terminal_cannot_show_do_not_stop_the_table(paired: House) -> None:
    paired.do(lambda trial: trial.core.gateway.track([("15550100001", "Ελένη")]))
    command = [sys.executable, "-m", "wigwag", "watch", "--once", "--url", paired.url]
    shown = subprocess.run(command, env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=True)
    assert "?????  15550100001" in shown.stdout


def test_colour_is_left_out_when_nobody_wants_it(paired: House) -> None:
    command = [sys.executable, "-m", "wigwag", "watch", "--once", "--url", paired.url]
    for environment, coloured in (({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)):
        shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert ("\x1b[1;32m" in shown.stdout) is coloured


@pytest.mark.parametrize("verb", ["demo", "serve"])
def test_a_directory_that_cannot_be_is_a_sentence_not_a_traceback(verb: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    command = [sys.executable, "-m", "wigwag", verb, "--port", "0", "--data", str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("wigwag: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_manual_knows_every_verb_and_every_exit_code() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "CLI.md").read_text(encoding="utf-8")
    headings = {word for line in manual.splitlines() if line.startswith("## ") for word in line.split()}
    assert {verb[0] for verb in VERBS} <= headings
    assert re.findall(r"^\| (\d+) \|", manual, re.MULTILINE) == [str(code.value) for code in ExitCode]


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM])
def test_the_simulator_ends_with_0_when_it_is_asked_to_stop(wish: signal.Signals) -> None:
    command = [sys.executable, "-m", "wigwag", "simulate", "--port", "0", "--cast"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Simulator on http://127.0.0.1:")
        assert process.stdout.readline() == "40 contacts and 2 groups come and go.\n"
        process.send_signal(wish)
        _, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "simulator listens on" in log
    assert "Traceback" not in log
