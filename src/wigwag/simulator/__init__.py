# SPDX-License-Identifier: Apache-2.0
"""A stand-in for WhatsApp's multi-device chat server, for demos and tests without a phone.

It stands alone: nothing of wigwag is imported here, and no client library. `Simulator` runs in the caller's loop,
`serve` until it is stopped.
"""

from wigwag.simulator.answering import ReceiptPolicy
from wigwag.simulator.content import Content
from wigwag.simulator.controls import ACCOUNT_PHONE, Linked
from wigwag.simulator.limits import Limits
from wigwag.simulator.linking import LinkError
from wigwag.simulator.server import Simulator, serve

__all__ = ["ACCOUNT_PHONE", "Content", "Limits", "LinkError", "Linked", "ReceiptPolicy", "Simulator", "serve"]
