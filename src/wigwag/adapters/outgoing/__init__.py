# SPDX-License-Identifier: Apache-2.0
"""The room of calls to URLs that others gave us: webhooks out, media in.

The only importer of httpcore. It reaches no address that `domain.addresses` does not allow.
"""

from wigwag.adapters.outgoing.client import Outgoing

__all__ = ["Outgoing"]
