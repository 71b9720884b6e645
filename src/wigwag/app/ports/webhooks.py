# SPDX-License-Identifier: Apache-2.0
"""What webhooks need: stores of endpoints and of deliveries, and a way to URLs that others gave us."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wigwag.domain.outbox import Event
from wigwag.domain.webhooks import Answer, Delivery, Endpoint, State


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries to list; what is None does not matter. `before` is a position: only those of earlier events."""

    endpoint: str
    state: State | None = None
    kind: str | None = None
    before: int | None = None


class EndpointStore(Protocol):
    """Keeps the endpoints of webhooks, their secrets among them."""

    async def endpoints(self) -> list[Endpoint]:
        """All of them, oldest first."""
        ...

    async def put_endpoint(self, endpoint: Endpoint) -> None: ...

    async def remove_endpoint(self, endpoint_id: str) -> None:
        """Delete it with its deliveries."""
        ...


class DeliveryStore(Protocol):
    """Keeps deliveries from the event to the end. A delivery goes when its event does.

    What a call wrote is on disk when it returns: all of it or nothing.
    """

    async def cursor(self) -> int:
        """The position up to which events are queued; 0 at first."""
        ...

    async def queue(self, deliveries: Sequence[Delivery], cursor: int) -> None:
        """Keep new deliveries and move the cursor, which never goes back. One that is kept already stays as it is."""
        ...

    async def due(self, endpoint: Endpoint, now: float, limit: int, without: Collection[int] = ()) -> list[Delivery]:
        """Pending deliveries to try now, in the order of events; none of the positions in `without`.

        For an ordered endpoint at most one: a delivery that was tried fewer than HOLDS times holds up those behind it.
        """
        ...

    async def next_due(self, endpoint: Endpoint, now: float) -> float | None:
        """When the next delivery after `now` becomes due, by the same rule; None if there is none."""
        ...

    async def record(
        self, deliveries: Sequence[Delivery], endpoints: Sequence[Endpoint] = (), events: Sequence[Event] = ()
    ) -> None:
        """Write deliveries and the health of endpoints as they are now, with the events that tell of it.

        What is not there any more stays away.
        """
        ...

    async def waiting(self) -> dict[str, int]:
        """How many deliveries are pending for each endpoint."""
        ...


class DeliveryArchive(Protocol):
    """Reads deliveries for people, and forgets old ones."""

    async def delivery(self, endpoint_id: str, position: int) -> Delivery | None: ...

    async def deliveries(self, wanted: DeliveryFilter, limit: int) -> list[Delivery]:
        """Deliveries, newest event first."""
        ...

    async def kept(self, endpoint_id: str, positions: Collection[int]) -> list[Delivery]:
        """Those of an endpoint for these events."""
        ...

    async def position_at(self, instant: float) -> int:
        """The position just before the first event from an instant on; that of the last event if there is none."""
        ...

    async def forget_deliveries(self, before: float) -> int:
        """Delete deliveries that were made before an instant. Returns how many."""
        ...


class Postman(Protocol):
    """HTTP requests to URLs that others gave us. Only the public network is reached, and networks that are allowed.

    Redirects are never followed, and the whole call has a time limit.
    """

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Send a body. Of the answer only the beginning is read.

        Raises InvalidUrl where the URL leads to an address that is not allowed, Unavailable where no answer came.
        """
        ...
