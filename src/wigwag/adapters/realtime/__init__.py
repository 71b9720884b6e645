# SPDX-License-Identifier: Apache-2.0
"""The room of Socket.IO: Engine.IO 4 and Socket.IO 5 over long polling and websockets, as an ASGI app.

What events mean is given from outside, as `Handlers`. Nothing here knows of presence.
"""

from wigwag.adapters.realtime.handlers import Handlers, Refused, SocketId
from wigwag.adapters.realtime.limits import Limits
from wigwag.adapters.realtime.packets import Shape
from wigwag.adapters.realtime.server import Realtime

__all__ = ["Handlers", "Limits", "Realtime", "Refused", "Shape", "SocketId"]
