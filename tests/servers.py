# SPDX-License-Identifier: Apache-2.0
"""Private servers for the tests: real programs, free loopback ports, a temporary folder, gone at the end.

A server is one row: which programs it needs, how its folder is made, how it is started, and the words by which it says
that it is ready. Nothing here knows what is tested, and nothing here installs: `make servers` does that.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

PATIENCE = 60.0  # seconds a server may take to start or to stop on a busy machine
PREFERRED = [Path("/usr/lib/rabbitmq/bin")]  # on the PATH, Debian has wrappers that take nobody but root
ELSEWHERE = [*Path("/usr/lib/postgresql").glob("*/bin"), Path("/usr/sbin"), Path(__file__).parents[1] / ".venv/tools"]

Command = list[str | Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A kind of server: `create` and `serve` are given its folder and port and return a command line."""

    name: str
    programs: tuple[str, ...]
    create: Callable[[Path], Command] = lambda _folder: ["true"]
    serve: Callable[[Path, int], Command]
    ready: str
    url: str
    stop: signal.Signals = signal.SIGTERM

    @property
    def variable(self) -> str:
        """The environment variable that gives a server that runs already."""
        return f"WIGWAG_TEST_{self.name.upper()}_URL"


POSTGRES = Server(
    name="postgres",
    programs=("initdb", "postgres"),
    create=lambda folder: [
        *(program("initdb"), "--pgdata", folder, "--username=wigwag", "--auth=trust", "--no-sync"),
        *("--encoding=UTF8", "--locale=C"),
    ],
    serve=lambda folder, port: [
        *(program("postgres"), "-D", folder, "-p", str(port), "-c", "listen_addresses=127.0.0.1"),
        *("-c", f"unix_socket_directories={folder}", "-c", "fsync=off", "-c", "synchronous_commit=off"),
        *("-c", "full_page_writes=off", "-c", "shared_buffers=16MB"),
    ],
    ready="database system is ready to accept connections",
    url="postgresql+asyncpg://wigwag@127.0.0.1:{port}/postgres",
    stop=signal.SIGINT,  # its SIGTERM waits for every client to leave
)

MARIADB = Server(
    name="mariadb",
    programs=("mariadb-install-db", "mariadbd"),
    create=lambda folder: [
        *(program("mariadb-install-db"), "--no-defaults", f"--datadir={folder}", "--skip-test-db"),
        *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
    ],
    serve=lambda folder, port: [
        *(program("mariadbd"), "--no-defaults", f"--datadir={folder}", f"--port={port}", "--bind-address=127.0.0.1"),
        *(f"--socket={folder}/socket", f"--pid-file={folder}/pid", "--skip-name-resolve", "--skip-log-bin"),
        *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci"),
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-buffer-pool-size=32M"),
    ],
    ready="ready for connections",
    url="mysql+asyncmy://root@127.0.0.1:{port}/mysql?charset=utf8mb4",
)


RABBITMQ = Server(
    name="rabbitmq",
    programs=("rabbitmq-server",),
    serve=lambda folder, port: [
        *("env", f"HOME={folder}", "RABBITMQ_NODENAME=wigwag@localhost", "RABBITMQ_LOGS=-"),
        *(f"RABBITMQ_{place}_BASE={folder}" for place in ("MNESIA", "LOG")),
        *(
            f"RABBITMQ_{file}_FILE={folder}/none"
            for file in ("CONF_ENV", "CONFIG", "ADVANCED_CONFIG", "ENABLED_PLUGINS")
        ),
        "RUNNING_UNDER_SYSTEMD=true",  # no shell stays between us and the node: a signal reaches the node itself
        # A node that is named from the start and listens to no other node needs neither epmd nor a second port.
        "ERL_FLAGS=+S 1 -sname wigwag@localhost -start_epmd false -dist_listen false -erl_epmd_port 1",
        *(program("rabbitmq-server"), "-rabbit", "tcp_listeners", f'[{{"127.0.0.1",{port}}}]'),
        *("-rabbit", "default_user", '<<"wigwag">>', "-rabbit", "default_pass", '<<"wigwag">>'),
        *("-rabbit", "default_vhost", '<<"woragis">>'),
    ],
    ready="Server startup complete",
    url="amqp://wigwag:wigwag@127.0.0.1:{port}/woragis",
)

REDIS = Server(
    name="redis",
    programs=("redis-server",),
    serve=lambda folder, port: [
        *(program("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder),
        *("--save", "", "--appendonly", "yes"),
    ],
    ready="Ready to accept connections",
    url="redis://127.0.0.1:{port}/0",
)

KINDS = (POSTGRES, MARIADB, RABBITMQ, REDIS)


@contextmanager
def running(server: Server) -> Iterator[str]:
    """Yield the address of a server of this kind, private to this run unless the environment names one."""
    if given := os.environ.get(server.variable):
        yield given
        return
    with private(server) as instance:
        yield instance.url


@contextmanager
def private(server: Server) -> Iterator["Instance"]:
    """Yield a server of this kind that runs for this block alone: it may be killed and launched again."""
    if missing := [name for name in server.programs if not find(name)]:
        unavailable(f"{server.name}: {', '.join(missing)} not found. Run `make servers`, or set {server.variable}.")
    folder = Path(tempfile.mkdtemp(prefix=f"wigwag-{server.name}-"))
    try:
        data = folder / "data"
        data.mkdir(mode=0o700)
        hand_over(folder, data)
        command = unprivileged(server.create(data), server.stop)
        made = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE, cwd=folder)
        if made.returncode:
            pytest.fail(f"{server.name} could not make its folder:\n{made.stdout}{made.stderr}")
        instance = Instance(server, data)
        instance.launch()
        try:
            instance.wait_until_ready()
            yield instance
        finally:
            instance.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Instance:
    """One private server. It keeps its folder and its address through every end and every launch."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._port = free_port()
        self._last_words: deque[str] = deque(maxlen=30)
        self._ready = False
        self._settled = threading.Event()  # it is ready, or it has ended
        self.url = server.url.format(port=self._port)

    @property
    def pid(self) -> int:
        return self._process.pid

    def launch(self) -> None:
        """Start it and return at once. It ends with the thread that launched it, so let that be the main thread."""
        self._ready = False
        self._settled.clear()
        command = unprivileged(self._server.serve(self._folder, self._port), self._server.stop)
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=self._folder.parent
        )
        self._reader = threading.Thread(target=self._read, name=f"read {self._server.name}")
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Return when it has said that it is ready; fail with its last words if it ends or is too slow."""
        if not self._settled.wait(PATIENCE) or not self._ready:
            pytest.fail(f"{self._server.name} did not start; its last words:\n{''.join(self._last_words)}")

    def stop(self) -> None:
        """End it in its own orderly way and return when it is gone; it may be gone already."""
        self._end(self._server.stop)

    def kill(self) -> None:
        """End it as a power cut would, and return when it is gone."""
        self._end(signal.SIGKILL)

    def empty(self) -> None:
        """Throw away what it has written; it must not be running."""
        for path in self._folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _end(self, how: signal.Signals) -> None:
        self._process.send_signal(how)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        with self._process:  # closes the pipe once the reader has seen its end
            self._reader.join(PATIENCE)

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._last_words.append(line)
            if self._server.ready in line:
                self._ready = True
                self._settled.set()
        self._settled.set()


def unavailable(why: str) -> NoReturn:
    """Skip at home, fail where nothing may be skipped."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def find(name: str) -> str | None:
    """Return the full path of a program, also from the places that are on nobody's PATH."""
    return shutil.which(name, path=os.pathsep.join(map(str, [*PREFERRED, os.environ.get("PATH", ""), *ELSEWHERE])))


def program(name: str) -> str:
    """Return the full path of a program that is known to be installed."""
    found = find(name)
    assert found, name
    return found


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def unprivileged(command: Command, stop: signal.Signals) -> Command:
    """Run as nobody when we are root (PostgreSQL refuses root), and stop when this process ends, even by a kill."""
    if not find("setpriv"):
        return command
    as_nobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    return [program("setpriv"), f"--pdeathsig={stop.name.removeprefix('SIG')}", *as_nobody, *command]


def hand_over(*folders: Path) -> None:
    """Give the folders to the user that the server will run as."""
    if os.geteuid() == 0:
        for folder in folders:
            shutil.chown(folder, "nobody", "nogroup")
