# SPDX-License-Identifier: Apache-2.0
"""What the use cases need from the world. Each port is small; its docstring is its law, and adapters are tested by it.

Every method may raise `domain.errors.GatewayError` and nothing else; a room translates its library's errors. Instants
are Unix seconds.
"""

from wigwag.app.ports.access import AuditStore, KeyStore
from wigwag.app.ports.carriage import Courier, Fetcher, MediaStore, Numbering
from wigwag.app.ports.deadletters import DeadLetters
from wigwag.app.ports.link import Clock, Link, Wire
from wigwag.app.ports.messages import Eraser, EventLog, JobArchive, JobFilter, Ledger, MessageStore, Step, TemplateStore
from wigwag.app.ports.presence import AccountStore, PresenceStore, WatchStore
from wigwag.app.ports.roster import Lease, Roster, Snapshot, Swap, Swapped, Tide
from wigwag.app.ports.users import Authenticator, Directory, GrantStore, LastSeenStore, Principal, User, UserStore
from wigwag.app.ports.webhooks import DeliveryArchive, DeliveryFilter, DeliveryStore, EndpointStore, Postman

__all__ = [
    "AccountStore",
    "AuditStore",
    "Authenticator",
    "Clock",
    "Courier",
    "DeadLetters",
    "DeliveryArchive",
    "DeliveryFilter",
    "DeliveryStore",
    "Directory",
    "EndpointStore",
    "Eraser",
    "EventLog",
    "Fetcher",
    "GrantStore",
    "JobArchive",
    "JobFilter",
    "KeyStore",
    "LastSeenStore",
    "Lease",
    "Ledger",
    "Link",
    "MediaStore",
    "MessageStore",
    "Numbering",
    "Postman",
    "PresenceStore",
    "Principal",
    "Roster",
    "Snapshot",
    "Step",
    "Swap",
    "Swapped",
    "TemplateStore",
    "Tide",
    "User",
    "UserStore",
    "WatchStore",
    "Wire",
]
