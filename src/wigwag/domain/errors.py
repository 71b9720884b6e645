# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong, as one tree. The docstring is the default message; `code` is stable and for machines.

    GatewayError
    ├─ InvalidJid · InvalidUrl · InvalidSettings · InvalidMessage · InvalidUser   the caller's fault
    ├─ Unauthenticated · Forbidden · RateLimited           the caller: who it is, what it may, how often
    ├─ NotFound · Conflict: KeyReused
    ├─ NotLinked*                                          the account, for now
    ├─ Refused: Restricted                                 the remote's word
    ├─ Unconfirmed                                         no word from the remote: it may have been done
    └─ Unavailable*: StoreUnavailable · BrokerUnavailable  * retryable
                     RosterUnavailable: Fenced · RosterLost · Missed

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


class InvalidUrl(GatewayError):
    """This is not a URL that we may call: give http:// or https://, a host of the public network, and no user in it."""

    code = "invalid_url"


class InvalidSettings(GatewayError):
    """These settings do not fit together."""

    code = "invalid_settings"


class InvalidMessage(GatewayError):
    """This message cannot be sent."""

    code = "invalid_message"

    def __init__(self, message: str | None = None, *, reason: str = "invalid_message") -> None:
        """Args: reason: a stable word for machines that says what is wrong with it, such as `text_too_long`."""
        super().__init__(message)
        self.reason = reason


class InvalidUser(GatewayError):
    """This is not a user's id: give a number, or a word of up to 64 characters without spaces."""

    code = "invalid_user"


class Unauthenticated(GatewayError):
    """Say who you are: the token is missing, false or expired."""

    code = "unauthenticated"


class Forbidden(GatewayError):
    """You may not do this."""

    code = "forbidden"


class RateLimited(GatewayError):
    """Too many requests: wait a little."""

    code = "rate_limited"

    def __init__(self, message: str | None = None, *, retry_after: float = 1.0) -> None:
        """Args: retry_after: seconds until it makes sense to come again."""
        super().__init__(message)
        self.retry_after = retry_after


class NotFound(GatewayError):
    """There is no such thing here."""

    code = "not_found"


class Conflict(GatewayError):
    """This cannot be done in the present state."""

    code = "conflict"


class KeyReused(Conflict):
    """This idempotency key was used for a different message."""

    code = "key_reused"


class NotLinked(GatewayError):
    """The account has no link to WhatsApp at the moment."""

    code = "not_linked"
    retryable = True


class Refused(GatewayError):
    """WhatsApp refused this."""

    code = "refused"


class Restricted(Refused):
    """WhatsApp does not let this account write to people it does not know at the moment."""

    code = "restricted"


class Unconfirmed(GatewayError):
    """WhatsApp did not say whether it took this: it may have been sent."""

    code = "unconfirmed"


class Unavailable(GatewayError):
    """A part that this needs does not answer."""

    code = "unavailable"
    retryable = True


class StoreUnavailable(Unavailable):
    """The database does not answer."""

    code = "store_unavailable"


class BrokerUnavailable(Unavailable):
    """The message broker does not answer."""

    code = "broker_unavailable"


class RosterUnavailable(Unavailable):
    """Who is here cannot be told at the moment: try again."""

    code = "roster_unavailable"


class Fenced(RosterUnavailable):
    """This node's lease has ended, so it may not write."""

    code = "fenced"


class RosterLost(RosterUnavailable):
    """The roster is not the one that this node joined: it was lost."""

    code = "roster_lost"


class Missed(RosterUnavailable):
    """Changes were missed."""

    code = "missed"
