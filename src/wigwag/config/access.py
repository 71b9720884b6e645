# SPDX-License-Identifier: Apache-2.0
"""The settings of access: keys, passwords, and whose pages may ask. Data only, as in the rest of `config`."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_KEY = 32  # characters


class KeySettings(BaseSettings):
    """The key: the gateway believes whoever shows it, and the command line shows it to the gateway."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("WIGWAG_API_KEY"),
        description="a key that may do everything, at least 32 characters by chance; the command line shows it too",
    )
    api_key_file: Path | None = Field(
        default=None, validation_alias=AliasChoices("WIGWAG_API_KEY_FILE"), description="a file that has the key alone"
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.api_key is not None and self.api_key_file is not None:
            raise ValueError("set WIGWAG_API_KEY or WIGWAG_API_KEY_FILE, not both")
        key = self.shown_key
        if key is not None and (len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key):
            raise ValueError(f"WIGWAG_API_KEY has at least {SHORTEST_KEY} printable characters of ASCII, and no spaces")
        return self

    @property
    def shown_key(self) -> str | None:
        """The key, wherever it is. Raises ValueError for a file that cannot be read."""
        if self.api_key_file is None:
            return self.api_key.get_secret_value() if self.api_key is not None else None
        try:
            return self.api_key_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"WIGWAG_API_KEY_FILE cannot be read: {type(error).__name__}") from error


class AccessSettings(KeySettings):
    """Who may come in, and how often."""

    basic_auth: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("APP_BASIC_AUTH"),
        description="users with passwords who may do everything, like anna:secret,bert:secret",
    )
    requests_per_minute: int = Field(
        1200,
        ge=0,
        validation_alias=AliasChoices("WIGWAG_HTTP_PER_MINUTE"),
        description="requests in a minute of a key that has no number of its own; 0: no limit",
    )
    cors_origins: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_HTTP_CORS_ORIGINS"),
        description="other sites whose pages may use the API with a key, like https://app.example.org",
    )
    mcp: Literal["on", "read_only", "off"] = Field(
        "on",
        validation_alias=AliasChoices("WIGWAG_MCP"),
        description="tools for language models at /mcp and /sse, with the access rules of the API",
    )
    trusted_proxies: str = Field(
        "127.0.0.1,::1",
        validation_alias=AliasChoices("WIGWAG_HTTP_TRUSTED_PROXIES"),
        description="addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed",
    )
    audit_days: int = Field(
        90,
        ge=1,
        le=3650,
        validation_alias=AliasChoices("WIGWAG_AUDIT_RETENTION_DAYS"),
        description="what callers did is kept for so long",
    )

    @field_validator("basic_auth")
    @classmethod
    def _users_with_passwords(cls, users: SecretStr | None) -> SecretStr | None:
        for pair in users.get_secret_value().split(",") if users is not None else ():
            user, _, password = pair.partition(":")
            if not user.strip() or not password:
                raise ValueError("give users as user:password, with commas between them and none in a password")
        return users

    @field_validator("cors_origins")
    @classmethod
    def _no_star(cls, origins: str) -> str:
        if "*" in origins:
            raise ValueError("name the sites: * would let the pages of everybody in")
        return checked_origins(origins)

    @property
    def cors_sites(self) -> tuple[str, ...]:
        """What `cors_origins` names."""
        return listed(self.cors_origins)

    @property
    def passwords(self) -> dict[str, str]:
        """User -> password of `basic_auth`."""
        pairs = self.basic_auth.get_secret_value().split(",") if self.basic_auth is not None else []
        split = (pair.partition(":") for pair in pairs)
        return {user.strip(): password for user, _, password in split}


def checked_origins(origins: str) -> str:
    """The origins, if they are such. Raises ValueError."""
    for origin in filter(None, map(str.strip, origins.split(","))):
        parts = urlsplit(origin)
        if origin != "*" and (parts.scheme not in ("http", "https") or origin != f"{parts.scheme}://{parts.netloc}"):
            raise ValueError("give origins as https://app.example.org, without a path, and commas between them")
    return origins


def listed(origins: str) -> tuple[str, ...]:
    return tuple(filter(None, (origin.strip().lower() for origin in origins.split(","))))
