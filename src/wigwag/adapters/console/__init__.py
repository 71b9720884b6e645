# SPDX-License-Identifier: Apache-2.0
"""The room of the console: the pages of `console/`, as the build left them, in front of another app.

It serves files and knows nothing of what they show; they ask the API like everybody else.
"""

from wigwag.adapters.console.files import BUILT, Files
from wigwag.adapters.console.mount import mounted

__all__ = ["BUILT", "Files", "mounted"]
