# SPDX-License-Identifier: Apache-2.0
"""Broker, link and database go away under load and come back: how long until messages are sent again.

    python bench/trouble.py

The broker is killed and started again, for envelopes with a `message_id` and without any; the line to WhatsApp is cut
and refused for 15 s; another program locks the SQLite database for 30 s. Each time 300 or more envelopes are in flight.
Fails if anything is lost, doubled or hangs, or if sending takes more than 15 s to go on.
"""

import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import servers
from tests.acceptance.doors import QueueDoor
from tests.acceptance.kills import World, world
from tests.acceptance.relay import Relay
from tests.acceptance.trouble import Outcome, Strike, broker_killed, database_locked, link_cut, settled, trouble

MESSAGES, TARGET = 1500, 15.0  # seconds
REFUSED, LOCKED = 15.0, 30.0  # seconds


@contextmanager
def fresh(*, named: bool = True) -> Iterator[tuple[World, servers.Instance]]:
    """A world with a broker of its own."""
    with tempfile.TemporaryDirectory(prefix="wigwag-trouble-") as folder, servers.private(servers.RABBITMQ) as rabbit:
        door = QueueDoor(rabbit.url, named=named, prefetch=50)
        with world(Path(folder), door) as here:
            yield here, rabbit


def broker(named: bool) -> Outcome:
    with fresh(named=named) as (here, rabbit), here.gateway() as gateway:
        settled(gateway, rabbit)
        return trouble(here, gateway, broker_killed(rabbit), MESSAGES)


def link() -> Outcome:
    with fresh() as (here, _rabbit), Relay(here.simulator.port).running() as relay:
        here.extra["WHATSAPP_SIMULATOR_URL"] = relay.url
        with here.gateway() as gateway:
            return trouble(here, gateway, link_cut(relay, REFUSED), MESSAGES)


def database() -> Outcome:
    with fresh() as (here, _rabbit), here.gateway() as gateway:
        strike: Strike = database_locked(here, LOCKED)
        return trouble(here, gateway, strike, MESSAGES)


def report(what: str, outcome: Outcome) -> bool:
    """Print what was seen. True if it is as it should be."""
    verdict, again = outcome.verdict, (outcome.sent_again, outcome.accepted_again)
    sent, accepted = (f"{seconds:.1f} s" if seconds is not None else "never" for seconds in again)
    print(
        f"{what}: {outcome.in_flight} in flight; lost {len(verdict.lost)}, doubled {len(verdict.doubled)}, "
        f"false {len(verdict.lied)}, in doubt {len(verdict.in_doubt)}; sent again after {sent}, "
        f"accepted again after {accepted}; slowest answer {outcome.slowest_answer:.2f} s, "
        f"silent {len(outcome.silent)}",
        flush=True,
    )
    in_time = outcome.sent_again is not None and outcome.sent_again <= TARGET
    return in_time and not verdict.faults and not outcome.silent


def main() -> int:
    strikes: dict[str, Callable[[], Outcome]] = {
        "broker killed, with message_id": lambda: broker(named=True),
        "broker killed, without any id": lambda: broker(named=False),
        f"link cut and refused for {REFUSED:.0f} s": link,
        f"database locked for {LOCKED:.0f} s": database,
    }
    return int(not all([report(what, strike()) for what, strike in strikes.items()]))  # noqa: C419  all of them run


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # of clients whose broker is away
    sys.exit(main())
