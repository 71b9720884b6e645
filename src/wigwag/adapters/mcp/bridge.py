# SPDX-License-Identifier: Apache-2.0
"""The third way in: stdio, for programs that start their tools as a process of their own.

The process that a model's host starts is no gateway: it hands everything on to one that runs, and knows no tool itself.
"""

from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

from wigwag.domain.errors import Unauthenticated, Unavailable

PATIENCE = 60.0  # seconds for the gateway to answer

Context = ServerRequestContext[Any]


async def serve(url: str, key: str | None, version: str) -> None:
    """Hand on what comes over stdin until it ends.

    Args:
        url: where the gateway is.
        key: an API key for it.

    Raises:
        Unavailable: no gateway answers.
        Unauthenticated: it does not let us in.
    """
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    http = httpx2.AsyncClient(headers=headers, timeout=PATIENCE, trust_env=False)
    try:
        async with http, Client(streamable_http_client(f"{url.rstrip('/')}/mcp", http_client=http)) as gateway:
            await _hand_on(gateway, version)
    except ExceptionGroup as errors:  # the SDK works in groups of tasks
        if errors.subgroup(httpx2.HTTPError):
            raise Unavailable from errors
        if errors.subgroup(MCPError):
            raise Unauthenticated(f"The gateway at {url} does not let us in: check WIGWAG_API_KEY.") from errors
        raise


async def _hand_on(gateway: Client, version: str) -> None:
    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return await gateway.list_tools()

    async def call_tool(_context: Context, params: CallToolRequestParams) -> CallToolResult:
        return await gateway.call_tool(params.name, params.arguments)

    server = Server("wigwag", version=version, on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
