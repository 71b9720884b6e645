# SPDX-License-Identifier: Apache-2.0
"""Every kind of event of the stream: which fact it tells, and how. `docs/EVENTS.md` is printed from this table.

The shapes are in `shapes`. Facts that are for others alone are named in UNTOLD, so that none is forgotten.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from wigwag.adapters.rest.message_schemas import ChatMessage
from wigwag.adapters.rest.stream import shapes
from wigwag.adapters.rest.stream.ring import Told
from wigwag.app.gateway import Gateway
from wigwag.domain import events
from wigwag.domain.access import AccessRefused, CallerActed, SignedIn, ToolUsed
from wigwag.domain.presence import PresenceChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of event.

    Args:
        fact: the class of what it tells.
        view: its data, from the fact; None where the one it is about is gone.
        about: the jids of the contacts and groups that it names.
        account: whose it is; "" for none.
    """

    name: str
    meaning: str
    fact: type
    shape: type[BaseModel]
    view: Callable[[Any, Gateway], BaseModel | None]
    about: Callable[[Any], tuple[str, ...]] = lambda _fact: ()
    account: Callable[[Any, Gateway], str] = lambda _fact, _gateway: ""


def _of(shape: type[Any]) -> Callable[[Any, Gateway], BaseModel]:
    return lambda fact, _gateway: shape.of(fact)


def _account(fact: Any, _gateway: Gateway) -> str:
    return str(fact.account)


def _jid(fact: Any) -> tuple[str, ...]:
    return (fact.jid,)


KINDS = (
    Kind(
        name="presence.changed",
        meaning="a contact came online, went offline, or is not observed any more",
        fact=PresenceChanged,
        shape=shapes.PresenceChange,
        view=shapes.PresenceChange.of,
        about=_jid,
        account=lambda fact, gateway: shapes.account_of(fact.jid, gateway),
    ),
    Kind(
        name="typing.changed",
        meaning="a contact began to type or record a message to us, or stopped",
        fact=events.TypingChanged,
        shape=shapes.TypingChange,
        view=_of(shapes.TypingChange),
        about=_jid,
        account=lambda fact, gateway: shapes.account_of(fact.jid, gateway),
    ),
    Kind(
        name="contact.added",
        meaning="a contact is tracked from now on, or has another name",
        fact=events.ContactAdded,
        shape=shapes.AddedContact,
        view=_of(shapes.AddedContact),
        about=_jid,
        account=_account,
    ),
    Kind(
        name="contact.removed",
        meaning="a contact is tracked no longer, or was erased",
        fact=events.ContactRemoved,
        shape=shapes.RemovedContact,
        view=_of(shapes.RemovedContact),
        about=_jid,
        account=_account,
    ),
    Kind(
        name="subscription.changed",
        meaning="a subscription was sent (pending), confirmed (active), went stale, or failed",
        fact=events.SubscriptionChanged,
        shape=shapes.SubscriptionChange,
        view=_of(shapes.SubscriptionChange),
        about=_jid,
        account=_account,
    ),
    Kind(
        name="account.changed",
        meaning="an account's link to WhatsApp changed",
        fact=events.AccountChanged,
        shape=shapes.AccountChange,
        view=_of(shapes.AccountChange),
        account=lambda fact, _gateway: fact.after.name,
    ),
    Kind(
        name="job.changed",
        meaning="a message of ours was accepted, or came into another state",
        fact=events.JobChanged,
        shape=shapes.JobChange,
        view=_of(shapes.JobChange),
        about=lambda fact: (fact.after.to, *fact.after.mentions),
        account=lambda fact, _gateway: fact.after.account,
    ),
    Kind(
        name="message.received",
        meaning="somebody wrote, edited, deleted, reacted or voted; also we, from another device",
        fact=events.MessageReceived,
        shape=ChatMessage,
        view=lambda fact, _gateway: ChatMessage.of(fact.message),
        about=lambda fact: (fact.message.chat, fact.message.sender),
        account=lambda fact, _gateway: fact.message.account,
    ),
    Kind(
        name="call.received",
        meaning="somebody calls",
        fact=events.CallReported,
        shape=shapes.Call,
        view=_of(shapes.Call),
        about=lambda fact: (fact.caller,),
        account=_account,
    ),
    Kind(
        name="group.changed",
        meaning="people joined or left a group, or its subject changed",
        fact=events.GroupReported,
        shape=shapes.GroupChange,
        view=_of(shapes.GroupChange),
        about=lambda fact: (fact.group, *fact.joined, *fact.left),
        account=_account,
    ),
    Kind(
        name="envelope.refused",
        meaning="an envelope from RabbitMQ cannot be sent, and is a dead letter now",
        fact=events.EnvelopeRefused,
        shape=shapes.RefusedEnvelope,
        view=_of(shapes.RefusedEnvelope),
    ),
    Kind(
        name="delivery.tried",
        meaning="an attempt was made to deliver an event to a webhook endpoint",
        fact=events.DeliveryTried,
        shape=shapes.TriedDelivery,
        view=_of(shapes.TriedDelivery),
    ),
    Kind(
        name="webhook.changed",
        meaning="a webhook endpoint works again, is failing, or was disabled",
        fact=events.EndpointChanged,
        shape=shapes.EndpointChange,
        view=_of(shapes.EndpointChange),
    ),
    Kind(
        name="webhook.dropped",
        meaning="too much waits for a webhook endpoint, so events were not queued for it",
        fact=events.EventsDropped,
        shape=shapes.DroppedEvents,
        view=_of(shapes.DroppedEvents),
    ),
    Kind(
        name="user.changed",
        meaning="a user of the host application is shown differently",
        fact=events.UserChanged,
        shape=shapes.UserChange,
        view=_of(shapes.UserChange),
    ),
    Kind(
        name="part.failed",
        meaning="a part of wigwag could not do its work; it tries again by itself",
        fact=events.PartFailed,
        shape=shapes.FailedPart,
        view=_of(shapes.FailedPart),
    ),
    Kind(
        name="part.recovered",
        meaning="a part that failed works again",
        fact=events.PartRecovered,
        shape=shapes.RecoveredPart,
        view=_of(shapes.RecoveredPart),
    ),
    Kind(
        name="system.figures",
        meaning="how much is going on and how fast it goes, once a second",
        fact=shapes.Sample,
        shape=shapes.Sample,
        view=lambda sample, _gateway: sample,
    ),
)
UNTOLD = {events.MediaProcessed, events.EnvelopeAccepted}  # for metrics
UNTOLD |= {events.ContactsShown, events.GrantedChanged, events.GrantsShown, events.NodeChanged}  # for sockets
UNTOLD |= {AccessRefused, CallerActed, SignedIn, ToolUsed}  # for the audit log and metrics
BY_FACT: dict[type, Kind] = {kind.fact: kind for kind in KINDS}
NAMES = tuple(kind.name for kind in KINDS)


def tell(fact: Any, gateway: Gateway) -> Told | None:
    """The fact as it is told; None if the one it is about is gone."""
    kind = BY_FACT[type(fact)]
    view = kind.view(fact, gateway)
    if view is None:
        return None
    data = view.model_dump_json().encode()
    return Told(kind=kind.name, account=kind.account(fact, gateway), about=kind.about(fact), data=data)


def names(fact: Any, people: set[str]) -> bool:
    """Whether a fact tells of one of these people, beyond that they are gone."""
    return not isinstance(fact, events.ContactRemoved) and not people.isdisjoint(BY_FACT[type(fact)].about(fact))
