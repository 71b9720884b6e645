# SPDX-License-Identifier: Apache-2.0
"""What a caller shows at an HTTP door, read from the headers. The same for every door, so that none is more gullible.

Whether it is true is decided in `app.access`.
"""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from wigwag.domain.errors import Unauthenticated

LONGEST = 4096  # characters of a header that we look at


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """At most one of key, basic (`user:password`) and cookie. `local`: it comes from this machine, and names it so."""

    key: str | None = field(default=None, repr=False)
    basic: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    address: str = ""
    local: bool = False


def read(headers: Mapping[str, str], *, cookie_name: str, address: str, local: bool) -> Credentials:
    """What these headers show; what programs set by hand counts before what browsers send by themselves.

    Args:
        headers: with names in lower case.

    Raises:
        Unauthenticated: an Authorization that is none of Bearer and Basic.
    """
    if key := headers.get("x-api-key", ""):
        return Credentials(key=_as_sent(key[:LONGEST].strip()), address=address, local=local)
    if authorization := headers.get("authorization", "").strip():
        scheme, _, value = authorization[:LONGEST].partition(" ")
        match scheme.lower():
            case "bearer":
                return Credentials(key=_as_sent(value.strip()), address=address, local=local)
            case "basic":
                return Credentials(basic=_basic(value.strip()), address=address, local=local)
        raise Unauthenticated("Show a key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`.")
    cookie = _cookie(headers.get("cookie", "")[: 4 * LONGEST], cookie_name)
    return Credentials(cookie=cookie, address=address, local=local)


def _as_sent(text: str) -> str:
    """Headers are read as Latin-1; whoever has other letters in a key sent UTF-8."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _basic(value: str) -> str:
    try:
        return b64decode(value, validate=True).decode()
    except ValueError as error:
        raise Unauthenticated("The user and password are not in Base64 (RFC 7617).") from error


def _cookie(header: str, name: str) -> str | None:
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name and value:
            return value
    return None
