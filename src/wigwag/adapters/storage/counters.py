# SPDX-License-Identifier: Apache-2.0
"""The two numbers that only rise: the place of the last job and the position of the last event.

They are a row of their own, so that they outlive what they were given to. Whoever holds them is the only writer, also
when a transaction that was given up is still alive in the database: so order of numbers is order of commits.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from wigwag.adapters.storage.schema_messages import counters

_READ = select(counters.c.place, counters.c.position).with_for_update()
_WRITE = update(counters).values(place=bindparam("new_place"), position=bindparam("new_position"))
POSITION = select(counters.c.position)


@dataclass(slots=True)
class Counters:
    """The last numbers given. Count up, then `write` in the same transaction."""

    place: int
    position: int

    def write(self, connection: Connection) -> None:
        connection.execute(_WRITE, {"new_place": self.place, "new_position": self.position})


def hold_counters(connection: Connection) -> Counters:
    """Read the numbers, and keep all others from writing until the transaction ends."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    place, position = connection.execute(_READ).one()
    return Counters(place, position)
