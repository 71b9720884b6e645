# SPDX-License-Identifier: Apache-2.0
"""Session care: who may open WhatsApp's session files, which generation of them may run, and how they are backed up.

It reads whatsmeow's files and puts whole ones in their place; it never writes into one. What is in them beyond the
keys' fingerprint is not known here.
"""

from wigwag.adapters.sessions.archive import Part
from wigwag.adapters.sessions.backup import back_up
from wigwag.adapters.sessions.guard import Guard, guarded
from wigwag.adapters.sessions.restore import Restored, restore
from wigwag.adapters.sessions.standing import Standing, standing

__all__ = ["Guard", "Part", "Restored", "Standing", "back_up", "guarded", "restore", "standing"]
