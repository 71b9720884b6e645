# SPDX-License-Identifier: Apache-2.0
"""The lines of the log as the source has them: which calls write one, and which actions these name."""

import ast
from collections.abc import Iterator

from wigwag.domain.delivery import State
from wigwag.domain.events import NodeStep
from wigwag.domain.subscriptions import State as SubscriptionState
from wigwag.domain.webhooks import Condition

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
EXPANDED = {  # what comes at the end of an action that is put together
    "message.": set(State),
    "subscription.": {*SubscriptionState} - {SubscriptionState.QUEUED},
    "webhook.": {"delivered", "retry", "failed"},
    "endpoint.": set(Condition),
    "node.": set(NodeStep),
}


def calls(source: str) -> Iterator[ast.Call]:
    """Every call of a logger."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            whose = ast.unparse(node.func.value)
            if whose in ("log", "_log") or whose.startswith("logging.getLogger("):
                yield node


def words(source: str) -> Iterator[str]:
    """Every action in a source, each that is put together in all its forms."""
    for node in ast.walk(ast.parse(source)):
        for key, value in zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ():
            if isinstance(key, ast.Constant) and key.value == "action":
                yield from _forms(value)


def bare(name: str, source: str) -> Iterator[str]:
    """Each call that writes a line without an action. Some give `extra` by name; it is put together just before."""
    for call in calls(source):
        if "'action'" not in ast.unparse(call) and "extra=extra" not in ast.unparse(call):
            yield f"{name}:{call.lineno}"


def _forms(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and "." in str(value.value):
        yield str(value.value)
    elif isinstance(value, ast.JoinedStr) and isinstance(value.values[0], ast.Constant):
        beginning = str(value.values[0].value)
        yield from (f"{beginning}{end}" for end in EXPANDED[beginning])
