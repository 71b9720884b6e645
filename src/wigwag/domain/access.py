# SPDX-License-Identifier: Apache-2.0
"""Who may ask what: keys with scopes, and callers who showed one.

A key is a random secret, so its SHA-256 is enough to know it again: there is nothing to guess from the hash. No secret
is kept in a value, but in those of `Credentials`, which live as long as a request.
"""

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from wigwag.domain.errors import Forbidden, InvalidSettings

LONGEST_NAME = 64  # characters
SECRET_BYTES = 32  # of chance in every key and cookie
_KEY = re.compile(r"wk_([a-z]{12})_[A-Za-z0-9_-]{43}", re.ASCII)


class Scope(StrEnum):
    """What a key is for. `docs/ACCESS.md` says which request needs which."""

    READ = "read"  # see everything that is kept: presence, messages, chats, how things stand
    SEND = "send"  # have messages sent, cancelled, retried
    TRACK = "track"  # choose whom to track, and forget people
    METRICS = "metrics"  # scrape /metrics and nothing else
    ADMIN = "admin"  # accounts, webhooks, users, keys; everything above too


_IMPLIED = {Scope.ADMIN: frozenset(Scope), Scope.READ: frozenset({Scope.READ, Scope.METRICS})}


class Means(StrEnum):
    """How a caller was recognised."""

    KEY = "key"
    BASIC = "basic"
    SESSION = "session"
    OPEN = "open"  # nobody was asked: this machine alone, and no key is configured


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key, without its secret. Instants are Unix seconds.

    Args:
        digest: SHA-256 of the whole key, in hex.
        per_minute: requests in a minute; None: as the settings say, 0: no limit.
        revoked: since when it counts no more.
        used: when it was last used, to about a minute.
    """

    id: str
    name: str
    digest: str = field(repr=False)
    scopes: frozenset[Scope]
    per_minute: int | None = None
    created: float
    expires: float | None = None
    revoked: float | None = None
    used: float | None = None

    def expired(self, now: float) -> bool:
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A browser that showed a key once, and shows a cookie since. `digest`: SHA-256 of the cookie, in hex."""

    digest: str = field(repr=False)
    key: str
    created: float
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks at a door. `expires`: until when this holds (Unix seconds)."""

    id: str
    name: str
    scopes: frozenset[Scope]
    means: Means
    per_minute: int = 0  # 0: no limit
    expires: float | None = None

    def may(self, scope: Scope) -> bool:
        """Whether one of the scopes is this one or includes it."""
        return any(scope is mine or scope in _IMPLIED.get(mine, ()) for mine in self.scopes)

    def need(self, scope: Scope) -> None:
        """Raises Forbidden without this scope."""
        if not self.may(scope):
            raise Forbidden(f"This needs a key with the scope {scope}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What a caller did. `target` is the path with numbers masked. Bodies are never kept. `position`: by the store."""

    at: float
    caller: str
    name: str
    action: str
    target: str
    status: int
    address: str
    position: int = 0


# --- facts


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerActed:
    """Somebody changed something through a door, or tried to."""

    entry: AuditEntry
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRefused:
    """Somebody was turned away. `reason` is a stable word, `who` the id of a caller or an address."""

    reason: str
    who: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUsed:
    """A language model used a tool, or tried to. `outcome` is ok, failed or refused."""

    tool: str
    outcome: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser showed a key, and got a cookie."""

    caller: str
    name: str
    at: float


def new_key(key_id: str, secret: bytes) -> str:
    """The key as it is shown once."""
    return f"wk_{key_id}_{token(secret)}"


def key_id(text: str) -> str | None:
    """Which key this claims to be; None if it is none of ours."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def token(secret: bytes) -> str:
    """Random bytes as text for headers and cookies."""
    return urlsafe_b64encode(secret).rstrip(b"=").decode()


def digest(text: str) -> str:
    """By what a secret is known again."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def checked_name(name: str) -> str:
    """The name of a key. Raises InvalidSettings."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise InvalidSettings(f"A key's name has 1 to {LONGEST_NAME} printable characters.")
    return name
