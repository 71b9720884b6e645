# SPDX-License-Identifier: Apache-2.0
"""The life of an account's link to WhatsApp: which states there are, what moves it, and when to try again.

The table below is the whole truth; `advance` only reads it. Four states are never left by ourselves, because trying
again would fight (REPLACED), cannot work (LOGGED_OUT), needs new software (OUTDATED), or was forbidden (STOPPED).
BANNED ends at its own time.

Contacts are observed only while the state is CONNECTED: a link that misses its keep-alives may be dead already.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from wigwag.domain.errors import InvalidSettings
from wigwag.domain.ids import Jid


class LinkState(StrEnum):
    """How an account stands with WhatsApp."""

    UNPAIRED = "unpaired"
    PAIRING = "pairing"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DEGRADED = "degraded"
    TRANSIENT = "transient"
    REPLACED = "replaced"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    OUTDATED = "outdated"
    FAILED = "failed"
    STOPPED = "stopped"


class LinkSignal(StrEnum):
    """What can happen to a link."""

    ASKED = "asked"  # we begin to connect
    OFFERED = "offered"  # WhatsApp offers to pair
    EXPIRED = "expired"  # nobody paired in time
    PAIRED = "paired"
    UP = "up"
    STALLED = "stalled"  # the link stands, but what we ask is not answered
    RESTORED = "restored"
    DOWN = "down"
    REPLACED = "replaced"  # somebody else connected with this session
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    OUTDATED = "outdated"
    ERROR = "error"  # WhatsApp said something that we do not know
    STOPPED = "stopped"  # an operator closed it


class Stall(StrEnum):
    """What is not answered on a link that stalled: the `detail` that comes with STALLED."""

    KEEP_ALIVES = "keep-alives"
    MESSAGES = "messages"
    REQUESTS = "requests"
    SUBSCRIPTIONS = "subscriptions"


_S, _G = LinkState, LinkSignal
_ALIVE = {_S.CONNECTING, _S.CONNECTED, _S.DEGRADED, _S.TRANSIENT, _S.FAILED}
_ANY = set(_S)
_RENEWED = {_S.CONNECTING, _S.BANNED}

TRANSITIONS: dict[LinkSignal, tuple[set[LinkState], LinkState]] = {
    _G.ASKED: (_ANY, _S.CONNECTING),
    _G.OFFERED: ({_S.UNPAIRED, _S.CONNECTING, _S.PAIRING, _S.TRANSIENT}, _S.PAIRING),
    _G.EXPIRED: ({_S.PAIRING}, _S.UNPAIRED),
    _G.PAIRED: (_ANY, _S.CONNECTING),
    _G.UP: (_ALIVE, _S.CONNECTED),
    _G.STALLED: ({_S.CONNECTED}, _S.DEGRADED),
    _G.RESTORED: ({_S.DEGRADED}, _S.CONNECTED),
    _G.DOWN: (_ALIVE - {_S.FAILED}, _S.TRANSIENT),
    _G.REPLACED: (_ANY, _S.REPLACED),
    _G.LOGGED_OUT: (_ANY, _S.LOGGED_OUT),
    _G.BANNED: (_ANY, _S.BANNED),
    _G.OUTDATED: (_ANY, _S.OUTDATED),
    _G.ERROR: (_ALIVE, _S.FAILED),
    _G.STOPPED: (_ANY, _S.STOPPED),
}

ADVICE = {
    _S.UNPAIRED: "Pair it: run `wigwag pair`, or open /api/accounts/{name}/qr and scan the code with the phone.",
    _S.PAIRING: "Scan the code with WhatsApp on the phone: Settings, Linked devices, Link a device.",
    _S.CONNECTING: "Connecting to WhatsApp.",
    _S.CONNECTED: "All is well.",
    _S.DEGRADED: "The link stands, but WhatsApp does not answer our {detail}; a new link is made soon.",
    _S.TRANSIENT: "The link is down; it is being made again.",
    _S.REPLACED: "Another program connected with this session. Stop it, then connect this account again by hand.",
    _S.LOGGED_OUT: "The phone removed this device. Pair it again.",
    _S.BANNED: "WhatsApp banned this number for a time. Nothing is tried until then; send less afterwards.",
    _S.OUTDATED: "WhatsApp no longer accepts this version. Upgrade wigwag.",
    _S.FAILED: "WhatsApp refused the link for a reason that wigwag does not know. A few more attempts follow.",
    _S.STOPPED: "An operator closed it. Connect it again by hand.",
}

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}", re.ASCII)
_RESTING = {_S.BANNED, _S.TRANSIENT, _S.DEGRADED}  # states whose end may be known
STUCK = 45.0  # seconds without a link after which we make a new one instead of waiting for the library
ALONE = 3.0  # seconds before we make a new link where the library has given up by itself
FAILED_BACKOFF = (60.0, 300.0, 900.0, 3600.0)  # seconds after the 1st, 2nd, … failure; the last one repeats
BAN_MARGIN = 60.0  # seconds after a ban's end, spread by chance, before we knock again


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A paired WhatsApp device session, or one to be. Instants are Unix seconds."""

    name: str
    state: LinkState = LinkState.UNPAIRED
    since: float = 0.0
    jid: Jid | None = None
    until: float | None = None
    detail: str = ""
    reconnects: int = 0
    failures: int = 0
    appear: bool = True  # be available while anything is tracked: needed to hear presences, but it silences the phone

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InvalidSettings("An account's name is 1 to 32 small letters, digits, - or _.")

    @property
    def connected(self) -> bool:
        """Whether contacts can be observed through it now."""
        return self.state is LinkState.CONNECTED

    @property
    def advice(self) -> str:
        """What a person should do next, in a sentence."""
        return ADVICE[self.state].format(name=self.name, detail=self.detail or "questions")


def advance(
    account: Account,
    signal: LinkSignal,
    at: float,
    *,
    jid: Jid | None = None,
    until: float | None = None,
    detail: str = "",
) -> Account:
    """The account after a signal; the same object if the signal means nothing in its state.

    `until` is the end of a ban, or the instant from which on nobody but us tries to make the link again.

    To be told again to connect, or of a ban, is news: it starts the wait anew.
    """
    allowed, after = TRANSITIONS[signal]
    if account.state not in allowed:
        return account
    if after is account.state and after not in _RENEWED:
        return account
    return replace(
        account,
        state=after,
        since=at,
        jid=None if after is LinkState.LOGGED_OUT else jid or account.jid,
        until=until if after in _RESTING else None,
        detail=detail,
        reconnects=account.reconnects + (signal is LinkSignal.DOWN),
        failures=account.failures + 1
        if after is LinkState.FAILED
        else 0
        if after is LinkState.CONNECTED
        else account.failures,
    )


def retry_at(account: Account, chance: float) -> float | None:
    """When to make a new link without being asked, Unix seconds; None for never.

    Args:
        chance: a number from 0 to 1 that spreads accounts which fail together.
    """
    match account.state:
        case LinkState.TRANSIENT | LinkState.DEGRADED if account.until is not None:  # nobody but us will try again
            return account.until + ALONE * (1 + chance)
        case LinkState.TRANSIENT | LinkState.DEGRADED | LinkState.CONNECTING:
            return account.since + STUCK * (1 + chance / 4)
        case LinkState.BANNED if account.until is not None:
            return account.until + BAN_MARGIN * chance
        case LinkState.FAILED:
            wait = FAILED_BACKOFF[min(account.failures, len(FAILED_BACKOFF)) - 1]
            return account.since + wait * (1 + chance / 4)
        case _:
            return None
