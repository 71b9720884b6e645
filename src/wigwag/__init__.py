# SPDX-License-Identifier: Apache-2.0
"""wigwag: a self-hosted WhatsApp gateway.

Only the version lives here, and nowhere else: `pyproject.toml` reads it from this file.
"""

__version__ = "0.1.0"
