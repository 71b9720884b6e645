# SPDX-License-Identifier: Apache-2.0
"""`wigwag demo`: simulator and gateway in one process, paired and tracking by themselves.

It does what a person would do, through the same commands; the people are in `demo_world`, the picture in `demo_screen`.
"""

import asyncio
import random
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from wigwag.app.gateway import Gateway
from wigwag.cli import demo_screen, settings
from wigwag.cli.demo_stage import perform, set_the_stage
from wigwag.cli.demo_world import CAST, CIRCLES, Script
from wigwag.cli.outcome import Failure
from wigwag.cli.screen import own_the_screen
from wigwag.cli.serve import Port, claim, drive
from wigwag.config import Settings
from wigwag.domain.account import LinkState
from wigwag.domain.errors import Conflict
from wigwag.domain.watchlist import HIGH, LOW, MEDIUM
from wigwag.simulator import LinkError, Simulator

if TYPE_CHECKING:
    from wigwag.compose import Running

HOST, ACCOUNT, SEED = "127.0.0.1", "default", 7
PAIRING_TIMEOUT = 60.0  # seconds
LOOK_AGAIN = 0.1  # seconds


def demo(
    port: Port = None,
    data: Annotated[
        Path | None, typer.Option(help="Keep the data in this directory.", show_default="a temporary one")
    ] = None,
) -> None:
    """See it at work: no phone, broker or network needed.

    Starts a simulator of WhatsApp with 40 contacts who come, go and write,
    and a gateway that pairs with it and tracks them. Ctrl-C stops both.

    Examples:
      wigwag demo
      wigwag demo --port 8081 --data ~/wigwag-demo
    """
    with ExitStack() as stack:
        home = data or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wigwag-demo-")))
        chosen = settings.read(
            host=HOST, port=port, session_path=home / "session", storage_url=f"sqlite:///{home}/wigwag.db"
        )
        claim(chosen.host, chosen.port)
        (home / "session").mkdir(parents=True, exist_ok=True)
        log = home / "wigwag.log"
        screen = stack.enter_context(own_the_screen(log))
        screen.print(f"Starting; logs go to {log}", style="dim", soft_wrap=True)
        drive(_demo(chosen, screen))


async def _demo(chosen: Settings, screen: Console) -> None:
    from wigwag.compose import run  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()

    async def on_ready(running: "Running") -> None:
        ready.set_result(running)

    async with Simulator(seed=SEED) as simulator, asyncio.TaskGroup() as tasks:
        await set_the_stage(simulator)
        pointed = chosen.model_copy(update={"simulator_url": simulator.url})
        gateway = tasks.create_task(run(pointed, on_ready=on_ready, demo=True), name="gateway")
        show = tasks.create_task(_show(ready, simulator, screen), name="show")
        gateway.add_done_callback(lambda _: show.cancel())


async def _show(ready: "asyncio.Future[Running]", simulator: Simulator, screen: Console) -> None:
    running = await ready
    screen.print(f"✓ gateway on {running.url}, simulator on {simulator.url}", soft_wrap=True)
    await track(running.gateway)
    screen.print(f"✓ {len(CAST)} contacts are wanted by name")
    with screen.status("Pairing: the client makes its keys now, which takes some seconds"):
        await pair(running.gateway, simulator)
    screen.print("✓ paired through the QR code on offer")
    await track_groups(running.gateway)
    screen.print(f"✓ tracking them and {len(CIRCLES)} groups, at the default pace")
    demo_screen.say_where_to_look(screen, running.url, simulator.url)
    picture = demo_screen.Picture(running.gateway, ACCOUNT)
    running.hear("demo", picture.hear)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(perform(simulator, Script(random.Random(SEED))), name="cast")  # noqa: S311 - chance
        tasks.create_task(demo_screen.follow(screen, picture), name="picture")


async def pair(gateway: Gateway, simulator: Simulator) -> None:
    """Scan what the gateway offers until its link is up. Raises Failure."""
    try:
        async with asyncio.timeout(PAIRING_TIMEOUT):
            while not gateway.account(ACCOUNT).connected:
                if gateway.account(ACCOUNT).state is LinkState.LOGGED_OUT:  # a session of an earlier demo
                    await gateway.connect(ACCOUNT)
                await _scan(gateway, simulator)
                await asyncio.sleep(LOOK_AGAIN)
    except TimeoutError as error:
        account = gateway.account(ACCOUNT)
        raise Failure(f"pairing took over {PAIRING_TIMEOUT:.0f} s; the account is {account.state}.") from error


async def _scan(gateway: Gateway, simulator: Simulator) -> None:
    try:
        await simulator.scan(gateway.pairing(ACCOUNT).qr)
    except (Conflict, LinkError):  # nothing on offer, or no longer: look again
        return


async def track(gateway: Gateway) -> None:
    """All by name, in all priorities. They are subscribed when there is a link."""
    for priority in (HIGH, MEDIUM, LOW):
        people = [(person.phone, person.name) for person in CAST if person.priority == priority]
        await gateway.track(people, priority=priority)


async def track_groups(gateway: Gateway) -> None:
    """Whoever is in the groups, now and later. Who is in them is asked of WhatsApp, so the link must be up."""
    for circle in CIRCLES:
        await gateway.track_group(circle.id, priority=LOW)
