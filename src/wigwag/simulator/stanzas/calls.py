# SPDX-License-Identifier: Apache-2.0
"""Calls: a client that is rung may refuse, and no more.

Who rings is in `phone`; nobody here can talk.
"""

from wigwag.simulator.exchange import Exchange, Refusal, Stream
from wigwag.simulator.wire import Node, Value


def handle(exchange: Exchange, stream: Stream, node: Node) -> None:
    to, step = node.jid("to"), node.children[0] if node.children else None
    if to is None or not node.text("id") or step is None or not step.text("call-id"):
        raise Refusal(479, "a call needs id, to and a step with its call-id")
    if step.tag != "reject":
        raise Refusal(501, f"the step {step.tag} of a call is not simulated")
    exchange.journal.note("calls", "call_rejected", stream.account, call=step.text("call-id"), to=str(to))
    head: dict[str, Value] = {
        "class": "call",
        "id": node.text("id"),
        "from": to,
        "type": step.tag,
        "t": exchange.time(),
    }
    stream.post(Node("ack", head))
