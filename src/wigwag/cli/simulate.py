# SPDX-License-Identifier: Apache-2.0
"""`wigwag simulate`: WhatsApp's side alone, for a gateway in another process."""

import asyncio
import random
import signal
from typing import Annotated

import typer

from wigwag import logs
from wigwag.cli.demo_stage import perform, set_the_stage
from wigwag.cli.demo_world import CAST, CIRCLES, Script
from wigwag.cli.screen import say
from wigwag.cli.serve import claim
from wigwag.simulator import Limits, Simulator


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on. Its admin API asks nobody who they are.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8377,
    cast: Annotated[bool, typer.Option("--cast", help="With the people of the demo, who come and go.")] = False,
    per_minute: Annotated[int, typer.Option(min=1, help="Subscriptions that are heard per minute.")] = 200,
    seed: Annotated[int, typer.Option(help="Decides whatever is left to chance.")] = 0,
) -> None:
    """Run a simulator of WhatsApp's server until Ctrl-C.

    Point a gateway at it with `wigwag serve --simulator URL`. Its admin API,
    under /sim, moves contacts and makes faults.

    Examples:
      wigwag simulate --cast
      curl -X POST http://127.0.0.1:8377/sim/faults -d '{"kind": "cut"}'
    """
    claim(host, port)
    logs.set_up(production=False)
    asyncio.run(_simulate(host, port, Limits(subscriptions_per_minute=per_minute), seed, cast))


async def _simulate(host: str, port: int, limits: Limits, seed: int, cast: bool) -> None:
    asked = _asked_to_stop()
    async with Simulator(host=host, port=port, seed=seed, limits=limits) as simulator, asyncio.TaskGroup() as tasks:
        say(f"Simulator on {simulator.url}/sim. Gateway: wigwag serve --simulator {simulator.url}")
        if cast:
            await set_the_stage(simulator)
            script = Script(random.Random(seed))  # noqa: S311 - chance, not secrecy
            people = tasks.create_task(perform(simulator, script), name="cast")
            say(f"{len(CAST)} contacts and {len(CIRCLES)} groups come and go.")
        await asked.wait()
        if cast:
            people.cancel()


def _asked_to_stop() -> asyncio.Event:
    """Set when somebody asks this process to stop."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    return asked
