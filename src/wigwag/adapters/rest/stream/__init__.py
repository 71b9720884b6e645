# SPDX-License-Identifier: Apache-2.0
"""The live stream of `GET /api/events`: facts as events, a bounded ring of them, and the clients that follow it.

It hears the fan-out as a sink. An event is encoded when the first client wants it, and then for all of them.
"""

from wigwag.adapters.rest.stream.figures import Figures
from wigwag.adapters.rest.stream.hub import Stream
from wigwag.adapters.rest.stream.ring import Ring

__all__ = ["Figures", "Ring", "Stream"]
