# SPDX-License-Identifier: Apache-2.0
"""How a database stands, for whoever wants to know without changing anything."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, inspect, text

from wigwag.adapters.storage.engine import SQLITE, Database, parse, place
from wigwag.domain.errors import StoreUnavailable

PATIENCE = 6.0  # seconds
_NOW = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM CLOCK_TIMESTAMP())",
    "mysql": "SELECT UNIX_TIMESTAMP(SYSDATE(6))",
}
_CAUSES: tuple[tuple[tuple[str, ...], str], ...] = (  # what drivers say, and what it means
    (
        ("InvalidPassword", "InvalidAuthorization", "1045", "Access denied"),
        "refuses the user or the password: check both in WIGWAG_STORAGE_URL",
    ),
    (("InvalidCatalogName", "1049"), "is not there: create it, or name another in WIGWAG_STORAGE_URL"),
    (
        ("gaierror", "Name or service", "getaddrinfo"),
        "has a host that has no address: check the name in WIGWAG_STORAGE_URL",
    ),
    (
        ("ConnectionRefused", "Connect call failed", "2003"),
        "has nobody who listens at its address: start it, or check host and port",
    ),
)


class Schema(Enum):
    """Whose tables a database has."""

    NONE = "none"
    OLDER = "older"
    PRESENT = "present"
    NEWER = "newer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What was found. `clock` is the server's, Unix seconds; None for a file."""

    place: str
    schema: Schema
    clock: float | None


async def look(address: str) -> Standing:
    """Ask the database. Raises InvalidSettings, or StoreUnavailable with the cause as far as it is known."""
    url = parse(address)
    if _is_missing_file(url):  # to ask it would make it
        return Standing(place=place(url), schema=Schema.NONE, clock=None)
    database = Database(url, PATIENCE, read_only=True)
    try:
        async with database.reading() as connection:
            schema = await connection.run_sync(_schema)
            asked = _NOW.get(database.dialect)
            clock = None if asked is None else float((await connection.execute(text(asked))).scalar_one())
    except StoreUnavailable as error:
        raise StoreUnavailable(_sentence(place(url), error)) from error
    finally:
        await database.close()
    return Standing(place=place(url), schema=schema, clock=clock)


def _is_missing_file(url: URL) -> bool:
    return url.drivername == SQLITE and not Path(str(url.database)).exists()


def _schema(connection: Connection) -> Schema:
    if not inspect(connection).has_table("alembic_version"):
        return Schema.NONE
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    if revision == scripts.get_current_head():
        return Schema.PRESENT
    return Schema.OLDER if revision in {script.revision for script in scripts.walk_revisions()} else Schema.NEWER


def _sentence(where: str, error: StoreUnavailable) -> str:
    """What is wrong, if one of the causes says so; what the wall said, if none does."""
    said: list[str] = []
    cause: BaseException | None = error.__cause__
    while cause is not None:
        said.append(f"{type(cause).__name__} {cause}")
        cause = getattr(cause, "orig", None) or cause.__cause__
    everything = " ".join(said)
    means = next((meaning for words, meaning in _CAUSES if any(word in everything for word in words)), None)
    return str(error) if means is None else f"{where} {means}"
