# SPDX-License-Identifier: Apache-2.0
"""The room of Socket.IO: Engine.IO 4 and Socket.IO 5 over long polling and websockets, as an ASGI app.

The server knows no event by name: what they mean is given as `Handlers`. `PresenceDoor` are those of seed 004.
"""

from wigwag.adapters.realtime.handlers import Handlers, Refused, SocketId
from wigwag.adapters.realtime.limits import Limits
from wigwag.adapters.realtime.mount import mounted
from wigwag.adapters.realtime.packets import Shape
from wigwag.adapters.realtime.presence import PresenceDoor
from wigwag.adapters.realtime.server import Realtime

__all__ = ["Handlers", "Limits", "PresenceDoor", "Realtime", "Refused", "Shape", "SocketId", "mounted"]
