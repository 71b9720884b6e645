# SPDX-License-Identifier: Apache-2.0
"""What must be right before strangers can reach a gateway: a judgement over settings, all of it at once.

`compose` does not start while something is found here, and `wigwag config check` says the same. Values are never
repeated: they are secret.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from wigwag.config import Settings
from wigwag.domain.addresses import is_loopback

SHORTEST_PASSWORD, FEWEST_LETTERS = 12, 6  # characters, and different ones among them
_KNOWN = {"woragis", "guest", "admin", "root", "postgres", "mysql", "mariadb", "redis", "rabbitmq", "wigwag", "default"}
_KNOWN |= {"password", "passw0rd", "secret", "changeme", "change-me", "example", "test", "letmein", "qwerty"}


def is_open_here(settings: Settings) -> bool:
    """Whether this machine, and no other, may come in without a key as long as there is none."""
    return settings.env != "production" and is_loopback(settings.host)


def needs_a_key(settings: Settings) -> bool:
    """Whether the settings themselves name nobody who may come in, although somebody should be named."""
    return not is_open_here(settings) and settings.shown_key is None and not settings.passwords


def dangers(settings: Settings, *, keys: bool) -> list[str]:
    """What is wrong and what to do about it, a sentence each.

    Args:
        keys: whether the database has a key that counts.
    """
    found = []
    if needs_a_key(settings) and not keys:
        why = "in production" if settings.env == "production" else f"on {settings.host}, which others can reach,"
        found.append(
            f"No API key: {why} the gateway lets nobody in without one. Set WIGWAG_API_KEY or WIGWAG_API_KEY_FILE "
            "(make it with `openssl rand -hex 32`), or run `wigwag keys create NAME --scope admin --local`."
        )
    return [*found, *(_of_production(settings) if settings.env == "production" else ())]


def _of_production(settings: Settings) -> Iterator[str]:
    for name, value in _long_secrets(settings):
        if _is_weak(value):
            yield f"{name} is weak: take at least {SHORTEST_PASSWORD} characters by chance (`openssl rand -hex 32`)."
    for user, password in settings.passwords.items():
        if _is_weak(password, user):
            yield f"APP_BASIC_AUTH has a weak password: take at least {SHORTEST_PASSWORD} characters by chance."
    yield from _of_servers(settings)
    if settings.realtime_auth == "trusted":
        yield "WIGWAG_REALTIME_AUTH=trusted believes everybody: set it to jwt, with a secret or a key set."
    if "*" in settings.allowed_origins:
        yield "WIGWAG_REALTIME_ORIGINS=* lets everybody's pages connect: name the sites, like https://app.example.org."


def _long_secrets(settings: Settings) -> Iterator[tuple[str, str]]:
    """Secrets of ours that are set, with the names of their variables."""
    if settings.shown_key is not None:
        yield "WIGWAG_API_KEY", settings.shown_key
    if settings.metrics_labels == "hashed":
        yield "WIGWAG_METRICS_KEY", settings.metrics_key.get_secret_value()
    if settings.metrics_token.get_secret_value():
        yield "WIGWAG_METRICS_TOKEN", settings.metrics_token.get_secret_value()
    if settings.realtime_jwt_secret is not None:
        yield "WIGWAG_REALTIME_JWT_SECRET", settings.realtime_jwt_secret.get_secret_value()
    if settings.backup_passphrase is not None:
        yield "WIGWAG_BACKUP_PASSPHRASE", settings.backup_passphrase.get_secret_value()


def _of_servers(settings: Settings) -> Iterator[str]:
    """Servers on other machines, whose passwords the whole network may try."""
    in_parts = settings.rabbitmq_url is None and settings.rabbitmq_host is not None
    if in_parts and _is_known(settings.rabbitmq_password.get_secret_value(), settings.rabbitmq_user):
        yield "RABBITMQ_PASSWORD is the default or easy to guess: give RabbitMQ's user another, and set it here."
    urls = {"RABBITMQ_URL": settings.rabbitmq_url, "WIGWAG_STORAGE_URL": settings.storage_url}
    for name, secret in (urls | {"WIGWAG_USERS_DIRECTORY_URL": settings.users_directory_url}).items():
        url = urlsplit(secret.get_secret_value()) if secret is not None else None
        if url is not None and url.hostname and _is_known(unquote(url.password or ""), unquote(url.username or "")):
            yield f"{name} has no password, or one that is easy to guess: give that user another, and set it here."


def _is_weak(secret: str, user: str = "") -> bool:
    return len(secret) < SHORTEST_PASSWORD or len(set(secret)) < FEWEST_LETTERS or _is_known(secret, user)


def _is_known(secret: str, user: str = "") -> bool:
    """Whether it is empty, the user's name, or what everybody tries first."""
    word = secret.lower()
    return not word or word == user.lower() or word.strip("0123456789!_-. ") in {"", *_KNOWN}
