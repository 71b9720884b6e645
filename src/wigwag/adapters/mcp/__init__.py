# SPDX-License-Identifier: Apache-2.0
"""The door for language models: the Model Context Protocol, with the official SDK.

It asks the gateway as every other door does, and decides nothing: what a caller may do is `app.access`'s word. Who the
caller is has been found out before a request comes here.
"""

from wigwag.adapters.mcp.doors import Doors
from wigwag.adapters.mcp.server import Mode, build

__all__ = ["Doors", "Mode", "build"]
