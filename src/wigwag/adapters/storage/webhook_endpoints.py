# SPDX-License-Identifier: Apache-2.0
"""The endpoints of webhooks in SQL: the table `webhook_endpoints`.

What attempts do to an endpoint is written together with the deliveries, not here.
"""

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from wigwag.adapters.storage.engine import Database, put_rows
from wigwag.adapters.storage.schema_webhooks import endpoints
from wigwag.app.ports import EndpointStore
from wigwag.domain.signing import Secret
from wigwag.domain.texts import kept_text
from wigwag.domain.webhooks import Endpoint

_ALL = select(endpoints).order_by(endpoints.c.created, endpoints.c.id)


class SqlEndpointStore:
    """The port EndpointStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def endpoints(self) -> list[Endpoint]:
        async with self._database.reading() as connection:
            found = (await connection.execute(_ALL)).mappings().all()
        return [_endpoint(row) for row in found]

    async def put_endpoint(self, endpoint: Endpoint) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, endpoints, [_row(endpoint)])

    async def remove_endpoint(self, endpoint_id: str) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))


def health_of(endpoint: Endpoint) -> dict[str, Any]:
    """The columns that attempts change."""
    return {
        "enabled": endpoint.enabled,
        "reason": endpoint.reason,
        "failures": endpoint.failures,
        "failing_since": endpoint.failing_since,
        "not_before": endpoint.not_before,
    }


def _row(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "kinds": json.dumps(endpoint.events),
        "accounts": json.dumps(endpoint.accounts),
        "secrets": json.dumps([[secret.text, secret.until] for secret in endpoint.secrets]),
        "description": kept_text(endpoint.description),
        "ordered": endpoint.ordered,
        "concurrency": endpoint.concurrency,
        "created": endpoint.created,
        **health_of(endpoint),
    }


def _endpoint(row: Any) -> Endpoint:
    found = dict(row)
    found["events"] = tuple(json.loads(found.pop("kinds")))
    found["accounts"] = tuple(json.loads(found["accounts"]))
    found["secrets"] = tuple(Secret(text=text, until=until) for text, until in json.loads(found["secrets"]))
    return Endpoint(**found)


if TYPE_CHECKING:
    _: type[EndpointStore] = SqlEndpointStore
