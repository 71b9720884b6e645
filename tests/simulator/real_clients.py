# SPDX-License-Identifier: Apache-2.0
"""Drives a real WhatsApp client that runs as a program of JSON lines, and sees to it that there is one."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from wigwag.simulator import Simulator

ROOT = Path(__file__).parents[2]
BAILEYS = Path(__file__).parent / "baileys"
PATIENCE = 30.0
OLDEST_NODE = 20  # what Baileys asks for
INSTALL_PATIENCE = 180.0


class Program:
    """`do` gives a command and waits until it is done; `expect` reads on to an event with these fields."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin
        assert process.stdout
        self._in, self._out = process.stdin, process.stdout
        self._seen: list[dict[str, Any]] = []

    async def do(self, what: str, **fields: Any) -> None:
        self._in.write(json.dumps({"do": what, **fields}).encode() + b"\n")
        await self.expect("done", what=what)

    async def expect(self, event: str, **fields: Any) -> dict[str, Any]:
        """The first such event that was not expected before, be it past or still to come."""
        wanted = {"event": event, **fields}
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for line in self._seen:
                        if wanted.items() <= line.items():
                            self._seen.remove(line)
                            return line
                    await self._read()
        except TimeoutError:
            pytest.fail(f"no {wanted}; there was {self._seen}")

    async def _read(self) -> None:
        line = await self._out.readline()
        if not line:
            pytest.fail(f"the client has ended; there was {self._seen}")
        with suppress(ValueError):  # the libraries print lines of their own
            self._seen.append(json.loads(line))


@asynccontextmanager
async def running(command: list[str], folder: Path, **variables: str) -> AsyncIterator[Program]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | variables,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Program(process)
    finally:
        assert process.stdin
        process.stdin.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 5)
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def whatsmeow(sim: Simulator, folder: Path, **variables: str) -> AsyncIterator[Program]:
    """`variables` are put into its environment."""
    if sys.platform != "linux":
        unavailable("whatsmeow can be pointed at the simulator on Linux only.")
    arguments = [sim.url, sim.root_key.hex(), sim.certificate, str(folder / "session.db")]
    command = [sys.executable, "-m", "tests.simulator.whatsmeow_program", *arguments]
    async with running(command, ROOT, **variables) as program:
        yield program


@asynccontextmanager
async def baileys(sim: Simulator, folder: Path) -> AsyncIterator[Program]:
    await install_baileys()
    async with running(["node", "program.mjs", sim.url, sim.root_key.hex(), str(folder)], BAILEYS) as program:
        yield program


async def install_baileys() -> None:
    """Once; later runs find it in its folder."""
    if not (shutil.which("npm") and await node_version() >= OLDEST_NODE):
        unavailable(f"Baileys needs npm and Node {OLDEST_NODE} or newer.")
    if (BAILEYS / "node_modules" / "baileys").is_dir():
        return
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--omit=peer"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=BAILEYS, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, problem = await asyncio.wait_for(process.communicate(), INSTALL_PATIENCE)
    if process.returncode:
        unavailable(f"npm could not install Baileys: {problem.decode(errors='replace')[-300:]}")


async def node_version() -> int:
    """The major version of Node on the path; 0 for none."""
    if not shutil.which("node"):
        return 0
    process = await asyncio.create_subprocess_exec("node", "--version", stdout=asyncio.subprocess.PIPE)
    answer, _ = await process.communicate()
    return int(answer.decode().strip().lstrip("v").partition(".")[0])


def unavailable(why: str) -> NoReturn:
    """Skip at home; fail where everything is meant to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
