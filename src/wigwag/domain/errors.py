# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong, as one tree. The docstring is the default message; `code` is stable and for machines.

    GatewayError
    ├─ InvalidJid · InvalidSettings            the caller's fault
    ├─ NotFound · Conflict
    ├─ NotLinked*                              the account, for now
    ├─ Refused                                 the remote's word
    └─ Unavailable*: StoreUnavailable          * retryable

Libraries' errors are translated into these at each room's wall, with the cause kept in `__cause__`.
"""

from typing import ClassVar


class GatewayError(Exception):
    """The gateway could not do this."""

    code: ClassVar[str] = "gateway_error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class InvalidJid(GatewayError):
    """This is not a WhatsApp address: give a phone number with its country code, or <digits>@s.whatsapp.net."""

    code = "invalid_jid"


class InvalidSettings(GatewayError):
    """These settings do not fit together."""

    code = "invalid_settings"


class NotFound(GatewayError):
    """There is no such thing here."""

    code = "not_found"


class Conflict(GatewayError):
    """This cannot be done in the present state."""

    code = "conflict"


class NotLinked(GatewayError):
    """The account has no link to WhatsApp at the moment."""

    code = "not_linked"
    retryable = True


class Refused(GatewayError):
    """WhatsApp refused this."""

    code = "refused"


class Unavailable(GatewayError):
    """A part that this needs does not answer."""

    code = "unavailable"
    retryable = True


class StoreUnavailable(Unavailable):
    """The database does not answer."""

    code = "store_unavailable"
