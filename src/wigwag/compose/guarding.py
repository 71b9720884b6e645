# SPDX-License-Identifier: Apache-2.0
"""Access from the settings: who is named there, and whether we may start at all. And keys without a gateway."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from wigwag import precautions
from wigwag.adapters.clock import SystemClock
from wigwag.adapters.storage.access import SqlKeyStore
from wigwag.adapters.storage.engine import Database, parse
from wigwag.adapters.storage.stores import Stores, open_stores
from wigwag.app.access import Access, Keyring, Rules, Vault
from wigwag.app.correspondence import new_id
from wigwag.config import Settings
from wigwag.domain.access import Caller, Means, Scope, digest
from wigwag.domain.errors import InvalidSettings

log = logging.getLogger(__name__)

DAY = 24 * 3600.0  # seconds
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
EVERYTHING, SCRAPES = frozenset({Scope.ADMIN}), frozenset({Scope.METRICS})


def vault(stores: Stores) -> Vault:
    """Where access keeps what it keeps."""
    return Vault(keys=stores.keys, audit=stores.audit)


def rules(settings: Settings) -> Rules:
    """Who the settings name. Another key there is another caller, so that sign-ins with the old one end."""
    fixed: dict[str, Caller] = {}
    if settings.shown_key is not None:
        seen = digest(settings.shown_key)
        known = "env" + seen[:9].translate(_LETTERS)
        fixed[seen] = _caller(settings, known, "WIGWAG_API_KEY", Means.KEY)
    if token := settings.metrics_token.get_secret_value():
        scraper = Caller(id="scraper", name="WIGWAG_METRICS_TOKEN", scopes=SCRAPES, means=Means.KEY)
        fixed[digest(token)] = scraper
    for number, (user, password) in enumerate(settings.passwords.items()):
        fixed[digest(f"{user}:{password}")] = _caller(settings, f"basic{number}", user, Means.BASIC)
    return Rules(
        fixed=fixed,
        open_here=precautions.is_open_here(settings),
        per_minute=settings.requests_per_minute,
        retention=settings.audit_days * DAY,
    )


def _caller(settings: Settings, known: str, name: str, means: Means) -> Caller:
    return Caller(id=known, name=name, scopes=EVERYTHING, means=means, per_minute=settings.requests_per_minute)


def admit(settings: Settings, access: Access) -> None:
    """Raises InvalidSettings, with everything that is wrong, if we may not start so."""
    wrong = precautions.dangers(settings, keys=not access.needs_a_key)
    if wrong:
        raise InvalidSettings("\n".join(["the gateway does not start like this.", *(f"  {line}" for line in wrong)]))
    if access.is_open:
        log.warning(
            "No API key is configured, so whoever is on this machine may do everything",
            extra={"action": "access.open"},
        )


@asynccontextmanager
async def keyring(settings: Settings) -> AsyncIterator[Keyring]:
    """The keys in the database of these settings, also while a gateway runs on it. Raises GatewayError."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # whoever asks for a key did not ask for its news
    stores = await open_stores(settings.database_url)
    try:
        keys = Keyring(stores.keys, SystemClock(), _hear, random=secrets.token_bytes, new_id=new_id)
        await keys.restore()
        yield keys
    finally:
        await stores.close()


def has_keys(settings: Settings) -> bool:
    """Whether the database has a key that counts. Makes nothing and brings nothing up to date. Raises GatewayError."""
    url = parse(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return False

    async def look() -> bool:
        database = Database(url)
        try:
            keys = Keyring(SqlKeyStore(database), SystemClock(), _hear, random=secrets.token_bytes, new_id=new_id)
            await keys.restore()
            return keys.any_good()
        finally:
            await database.close()

    return asyncio.run(look())


def _hear(_fact: object) -> None:
    """Nobody listens: what fails here is raised."""
