# SPDX-License-Identifier: Apache-2.0
"""Where a client may bring and fetch files, and the token that lets it. The files themselves go over HTTPS."""

from wigwag.simulator.exchange import Exchange, Stream
from wigwag.simulator.media_store import AUTH_LIFETIME
from wigwag.simulator.wire import Node

_FRESH = 300  # seconds until a client should ask again


def connect(exchange: Exchange, stream: Stream, _node: Node) -> list[Node]:
    store = exchange.media
    head = {
        "auth": store.admit(stream.device, exchange.now()),
        "ttl": str(_FRESH),
        "auth_ttl": str(AUTH_LIFETIME),
        "max_buckets": "12",
    }
    return [Node("media_conn", {**head}, [Node("host", {"hostname": store.host, "type": "primary"})])]
