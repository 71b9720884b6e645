# SPDX-License-Identifier: Apache-2.0
"""Which request needs which scope: one table, by operation id. What is not in it needs `admin`.

`docs/ACCESS.md` has the same table, and a test holds the two together.
"""

from fastapi import Depends, Request

from wigwag.domain.access import Caller, Scope

OPEN = {"/livez", "/readyz", "/healthz", "/openapi.json"}  # say nothing of anybody, so nobody needs a key
SIGN_IN = "/api/session"  # POST brings its key in the body
SCRAPE = "/metrics"

_READ = (
    *("list_presences", "presence_stats", "list_typing", "get_presence", "get_history"),
    *("list_subscriptions", "subscription_stats", "get_pace", "list_tracked_groups", "list_groups"),
    *("list_messages", "message_stats", "get_message", "list_chat", "get_media"),
    *("list_templates", "get_template", "list_accounts", "get_account", "list_devices"),
    *("list_webhooks", "get_webhook", "list_deliveries", "get_delivery", "list_dead_letters", "get_dead_letter"),
    *("list_users", "user_stats", "get_user", "get_user_presence", "list_user_presences", "list_grants"),
    *("follow_events", "get_system", "list_findings", "list_timelines", "list_members", "get_subscription"),
)
_SEND = ("send_message", "upload_media", "cancel_message", "delete_message", "retry_message", "mark_read")
_TRACK = ("track", "untrack", "track_group", "untrack_group", "set_pace", "erase_contact")

SCOPES: dict[str, Scope | None] = {
    **dict.fromkeys(_READ, Scope.READ),
    **dict.fromkeys(_SEND, Scope.SEND),
    **dict.fromkeys(_TRACK, Scope.TRACK),
    "metrics": Scope.METRICS,
    **dict.fromkeys(("get_session", "sign_in", "sign_out", "livez", "readyz", "healthz"), None),
}


def needed(operation: str) -> Scope | None:
    """The scope that an operation needs; None: any caller may do it, or even nobody in particular."""
    return SCOPES.get(operation, Scope.ADMIN)


async def _permit(request: Request) -> None:
    """Raises Forbidden. Nobody in particular comes to open routes alone."""
    scope = needed(request.scope["route"].name)
    caller: Caller | None = request.state.caller
    if scope is None:
        return
    assert caller is not None  # noqa: S101  the guard lets nobody else come here
    if not caller.may(scope):
        request.app.state.access.refused("scope", caller.id)
    caller.need(scope)


PERMIT = Depends(_permit)
