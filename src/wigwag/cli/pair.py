# SPDX-License-Identifier: Apache-2.0
"""`wigwag pair`: links an account with a phone, by QR code or by a code of eight letters.

Every code expires; the next one is shown by itself until the phone has taken one.
"""

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.text import Text

from wigwag.cli import qr
from wigwag.cli.client import HOME, Client, Url
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.screen import duration, out, say

LOOK_AGAIN, PATIENCE = 1.0, 60.0  # seconds between two looks, and until pairing must be on offer
ROOM = 38  # lines that a code and the words around it take
ON_THE_WAY = ("pairing", "connecting", "transient")
HOW = "On the phone: WhatsApp, Settings, Linked devices, Link a device. Then scan this."
HOW_BY_CODE = "On the phone: WhatsApp, Settings, Linked devices, Link a device, Link with phone number instead. Type:"


def pair(
    account: Annotated[str, typer.Argument(help="The account's name.")] = "default",
    phone: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Get a code to type on the phone with this number instead.")
    ] = None,
    url: Url = HOME,
) -> None:
    """Link an account with a phone by a QR code.

    The code is renewed until the phone has scanned it.

    Examples:
      wigwag pair
      wigwag pair support --phone 919876543210
    """
    with Client(url) as gateway:
        if gateway.get("accounts", account)["state"] == "connected":
            raise Failure(f"{account} is paired and connected already.", ExitCode.REFUSED)
        steps = watch_pairing(gateway, account, pause=lambda: time.sleep(LOOK_AGAIN))
        jid = show_code(gateway, account, phone, steps) if phone else show_qr(steps)
    say(f"✓ {account} is paired as {jid.partition('@')[0]} and connected.")


def watch_pairing(
    gateway: Client, account: str, *, pause: Callable[[], None], now: Callable[[], float] = time.monotonic
) -> Iterator[dict[str, Any]]:
    """What happens to an account until its link is up: its state, with `qr` while one is on offer. Raises Failure.

    Pairing is asked for when the account does not offer it by itself.
    """
    offered_at = now()
    while True:
        state: dict[str, Any] = gateway.get("accounts", account)
        if state["state"] == "pairing":
            offered_at = now()
            state |= _offer(gateway, account)
        yield state
        if state["state"] == "connected":
            return
        if state["state"] not in ON_THE_WAY:
            gateway.post("accounts", account, "connect")
        if now() - offered_at > PATIENCE:
            raise Failure(
                f"pairing is not on offer for {duration(PATIENCE)}. {state['advice']} {state['detail']}".rstrip()
            )
        pause()


def _offer(gateway: Client, account: str) -> dict[str, Any]:
    """The code to show; none in the moment between two."""
    try:
        offer: dict[str, Any] = gateway.get("accounts", account, "qr", format="json")
    except Failure as failure:
        if failure.code is ExitCode.REFUSED:
            return {}
        raise
    return offer


def show_qr(steps: Iterator[dict[str, Any]]) -> str:
    """Each code in the place of the one before, or below it where there is no room. Returns the account's jid."""
    step: dict[str, Any] = {}
    if not out.is_terminal or out.height < ROOM:
        shown = ""
        for step in steps:
            if (code := step.get("qr", shown)) != shown:
                say(_poster(step))
                shown = code
        return str(step["jid"])
    with Live(console=out, auto_refresh=False, transient=True) as live:
        for step in steps:
            live.update(_poster(step), refresh=True)
    return str(step["jid"])


def _poster(step: dict[str, Any]) -> Text:
    if "qr" not in step:
        return Text(f"{step['advice']} ({step['state']})", "dim")
    picture = qr.draw(step["qr"], colour=out.color_system is not None and not out.no_color)
    rest = f"\nThe code is renewed in {duration(step['expires_in_seconds'])}; Ctrl-C gives up."
    return Text.assemble(HOW, "\n\n", picture, (rest, "dim"))


def show_code(gateway: Client, account: str, phone: str, steps: Iterator[dict[str, Any]]) -> str:
    """Ask for a code whenever pairing is offered anew. Returns the account's jid."""
    step, asked = {}, False
    for step in steps:
        if step["state"] != "pairing":
            asked = False
        elif not asked and "qr" in step:
            code = gateway.post("accounts", account, "pair", body={"phone": phone})["code"]
            say(Text.assemble(f"{HOW_BY_CODE} ", (code, "bold")))
            asked = True
    return str(step["jid"])
