# SPDX-License-Identifier: Apache-2.0
"""The room of media: bytes in files, and pictures looked into with Pillow. `MediaFiles` is the way in.

No network here, and no WhatsApp: what kinds there are and what they may hold is said in `domain.media`.
"""

from wigwag.adapters.media.files import MediaFiles

__all__ = ["MediaFiles"]
