# SPDX-License-Identifier: Apache-2.0
"""Who may ask: one answer for every door. A door reads what a caller shows, and asks here.

caller = await access.authenticate(credentials)   # Unauthenticated, RateLimited
usage = access.admit(caller)                      # RateLimited
caller.need(Scope.SEND)                           # Forbidden
access.audit.note(caller, …)
"""

from wigwag.app.access.audit import Audit
from wigwag.app.access.desk import Access, Rules, Vault
from wigwag.app.access.keyring import Keyring, Made

__all__ = ["Access", "Audit", "Keyring", "Made", "Rules", "Vault"]
