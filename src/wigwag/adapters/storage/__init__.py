# SPDX-License-Identifier: Apache-2.0
"""What wigwag keeps, in SQL: SQLite, PostgreSQL or MariaDB behind the store ports. `open_stores` is the way in.

The only room that knows SQL. It decides nothing about presence: it writes down and reads back.
"""

from wigwag.adapters.storage.stores import Stores, open_stores

__all__ = ["Stores", "open_stores"]
