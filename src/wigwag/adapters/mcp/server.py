# SPDX-License-Identifier: Apache-2.0
"""The server of tools: which there are, who may use them, and what is noted of each use.

A model is shown the tools that its key may use, and no others.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Literal, TypeVar

from mcp.server import MCPServer
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations

from wigwag.adapters.mcp.acting import Acting
from wigwag.adapters.mcp.reading import Reading
from wigwag.app.access import Access
from wigwag.app.gateway import Gateway
from wigwag.app.ports import Clock
from wigwag.domain.access import Caller, Scope, ToolUsed
from wigwag.domain.errors import Forbidden, GatewayError
from wigwag.domain.events import Fact

R = TypeVar("R")
Context = ServerRequestContext[Any, Any]
Mode = Literal["on", "read_only", "off"]

# The library writes whole messages at the level of debugging, and errors of tools at the one above.
for _library in ("mcp", "sse_starlette"):
    logging.getLogger(_library).setLevel(logging.ERROR)

SENT, REFUSED, FAILED = 200, 403, 400  # what the audit log has of a use; HTTP's numbers, as of every door
NO_TOOL = "none"
INSTRUCTIONS = (
    "wigwag is a WhatsApp gateway. It knows who of the tracked contacts is online, sends messages, and keeps chats. "
    "A contact that is `unknown` is not offline: nobody was listening."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool, and the scope that it needs."""

    run: Callable[..., Awaitable[Any]]
    scope: Scope

    @property
    def name(self) -> str:
        return self.run.__name__


def tools(gateway: Gateway, clock: Clock, mode: Mode) -> list[Tool]:
    """All tools, or those that only read."""
    reading, acting = Reading(gateway, clock), Acting(gateway)
    readers = (
        *(reading.list_contacts, reading.get_presence, reading.get_history, reading.list_accounts),
        *(reading.list_messages, reading.get_message, reading.list_failures, reading.read_chat),
    )
    found = [Tool(run=run, scope=Scope.READ) for run in readers]
    if mode == "on":
        found += [Tool(run=run, scope=Scope.SEND) for run in (acting.send_message, acting.cancel_message)]
        found += [Tool(run=acting.look_up, scope=Scope.SEND)]
        found += [Tool(run=run, scope=Scope.TRACK) for run in (acting.track_contact, acting.untrack_contact)]
    return found


def build(
    gateway: Gateway, access: Access, clock: Clock, announce: Callable[[Fact], None], *, version: str, mode: Mode
) -> MCPServer:
    """The server with its tools. Requests must come with their caller in their state."""
    offered = {tool.name: tool for tool in tools(gateway, clock, mode)}
    keeper = _Keeper(offered, access, clock, announce)
    server = MCPServer("wigwag", version=version, instructions=INSTRUCTIONS, middleware=[keeper], subscriptions=False)
    for tool in offered.values():
        hints = ToolAnnotations(read_only_hint=tool.scope is Scope.READ, open_world_hint=tool.scope is Scope.SEND)
        server.add_tool(_told(tool.run), name=tool.name, annotations=hints)
    return server


class _Keeper:
    """Stands before every message of a client."""

    def __init__(
        self, offered: dict[str, Tool], access: Access, clock: Clock, announce: Callable[[Fact], None]
    ) -> None:
        self._offered, self._access, self._clock, self._announce = offered, access, clock, announce

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        match ctx.method:
            case "tools/list":
                return self._shown(await call_next(ctx), _caller(ctx))
            case "tools/call":
                return await self._use(ctx, call_next)
        return await call_next(ctx)

    def _shown(self, listed: HandlerResult, caller: Caller) -> HandlerResult:
        """The list as it goes over the wire, without what this caller may not use."""
        assert isinstance(listed, dict)  # noqa: S101  so the SDK hands it to whoever stands before its handlers
        shown = [tool for tool in listed["tools"] if caller.may(self._offered[tool["name"]].scope)]
        return {**listed, "tools": shown}

    async def _use(self, context: Context, call_next: CallNext) -> HandlerResult:
        caller, name = _caller(context), str((context.params or {}).get("name"))
        tool = self._offered.get(name)
        if tool is not None and not caller.may(tool.scope):
            self._access.refused("scope", caller.id)
            self._note(context, tool, REFUSED, "refused")
            words = f"This needs a key with the scope {tool.scope}. ({Forbidden.code})"
            return CallToolResult(content=[TextContent(type="text", text=words)], is_error=True)
        result = await call_next(context)
        failed = isinstance(result, dict) and result.get("isError")
        self._note(context, tool, FAILED if failed else SENT, "failed" if failed else "ok")
        return result

    def _note(self, context: Context, tool: Tool | None, status: int, outcome: str) -> None:
        name = NO_TOOL if tool is None else tool.name
        self._announce(ToolUsed(tool=name, outcome=outcome, at=self._clock.now()))
        if tool is not None and tool.scope is not Scope.READ:
            request = context.request
            address = request.client.host if request is not None and request.client is not None else ""
            self._access.audit.note(_caller(context), name, "mcp", status, address)


def _caller(context: Context) -> Caller:
    assert context.request is not None  # noqa: S101  it comes over HTTP, through the guard
    caller: Caller = context.request.state.caller
    return caller


def _told(run: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """The gateway's errors are sentences for people and models alike; the code is for both."""

    @wraps(run)
    async def told(*args: Any, **kwargs: Any) -> R:
        try:
            return await run(*args, **kwargs)
        except GatewayError as error:
            raise ToolError(f"{error} ({error.code})") from error

    return told
