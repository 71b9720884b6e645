# SPDX-License-Identifier: Apache-2.0
"""All settings: names, defaults, and what they mean. Data only; nothing is made here, and only a key's file is read.

Names of the seeds work as written; everything else is WIGWAG_<ROOM>_<KEY>. Rooms and floors above read it, never
`domain` or `app`.
"""

from datetime import UTC
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator

from wigwag.config.access import AccessSettings, KeySettings, checked_origins, listed
from wigwag.domain.addresses import Network, parse_networks
from wigwag.domain.errors import InvalidSettings
from wigwag.domain.pacing import PRESETS, Pace
from wigwag.domain.throttle import Rate, quiet_hours

__all__ = ["KeySettings", "Settings"]


class Settings(AccessSettings):
    """The environment, read once at start. `wigwag config show` prints it."""

    env: Literal["development", "production"] = Field(
        "development", validation_alias=AliasChoices("ENV"), description="production writes JSON logs"
    )
    debug: bool = Field(False, validation_alias=AliasChoices("APP_DEBUG"), description="log in detail")
    log_to_file: bool = Field(False, validation_alias=AliasChoices("LOG_TO_FILE"), description="also log to LOG_DIR")
    log_dir: Path = Field(Path("logs"), validation_alias=AliasChoices("LOG_DIR"), description="where log files go")

    host: str = Field("127.0.0.1", validation_alias=AliasChoices("APP_HOST"), description="address to listen on")
    port: int = Field(
        8080, ge=0, le=65535, validation_alias=AliasChoices("APP_PORT"), description="0 takes a free port"
    )

    session_path: Path = Field(
        Path("/app/session"),
        validation_alias=AliasChoices("WHATSAPP_SESSION_PATH"),
        description="keeps the WhatsApp sessions; must survive restarts",
    )
    simulator_url: str | None = Field(
        None,
        validation_alias=AliasChoices("WHATSAPP_SIMULATOR_URL"),
        description="talk to `wigwag simulate` at this address instead of WhatsApp",
    )
    first_account: bool = Field(
        True,
        validation_alias=AliasChoices("WIGWAG_WHATSAPP_FIRST_ACCOUNT"),
        description="false: a gateway without accounts makes none by itself, as one that serves users alone",
    )
    storage_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_STORAGE_URL", "DB_URI"),
        description="sqlite, postgresql or mysql address; unset: wigwag.db beside the sessions",
    )
    backup_passphrase: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_BACKUP_PASSPHRASE"),
        description="seals what `wigwag backup` writes; unset: it asks",
    )
    retention_days: int = Field(
        30,
        ge=1,
        le=3650,
        validation_alias=AliasChoices("WIGWAG_PRESENCE_RETENTION_DAYS"),
        description="history is kept for so long, and contacts that are silent for so long are removed",
    )

    subscriptions_preset: Literal["small", "medium", "large", "careful"] = Field(
        "medium", validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_PRESET"), description="a pace by name"
    )
    subscriptions_batch_size: int | None = Field(
        None, validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_BATCH_SIZE"), description="contacts in a batch"
    )
    subscriptions_batch_delay: float | None = Field(
        None, validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_BATCH_DELAY"), description="seconds between batches"
    )
    subscriptions_delay: float | None = Field(
        None, validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_DELAY"), description="seconds between contacts"
    )
    subscriptions_cap: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_CAP"),
        description="subscriptions alive at once for each account; unset: no cap",
    )
    resubscribe_after_hours: float = Field(
        24.0,
        gt=0,
        validation_alias=AliasChoices("WIGWAG_SUBSCRIPTIONS_RESUBSCRIBE_AFTER_HOURS"),
        description="silence after which a contact is subscribed again",
    )

    content_policy: Literal["strict", "off"] = Field(
        "strict",
        validation_alias=AliasChoices("WIGWAG_MESSAGES_CONTENT_POLICY"),
        description="strict refuses texts that carry an SQL injection or a script",
    )
    messages_per_minute: float = Field(
        30.0,
        validation_alias=AliasChoices("WIGWAG_MESSAGES_PER_MINUTE"),
        description="messages that an account sends in a minute, over many; 0: no limit",
    )
    messages_burst: int = Field(
        5, validation_alias=AliasChoices("WIGWAG_MESSAGES_BURST"), description="messages at once after a rest"
    )
    messages_jitter: float = Field(
        0.3,
        validation_alias=AliasChoices("WIGWAG_MESSAGES_JITTER"),
        description="random delay, as a part of the time between two messages",
    )
    quiet_hours: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_MESSAGES_QUIET_HOURS"),
        description="hours in which nothing is sent, like 22:00-07:30",
    )
    timezone: str = Field(
        "UTC", validation_alias=AliasChoices("WIGWAG_MESSAGES_TIMEZONE"), description="of the quiet hours"
    )
    unconfirmed: Literal["hold", "resend"] = Field(
        "hold",
        validation_alias=AliasChoices("WIGWAG_MESSAGES_UNCONFIRMED"),
        description="after a crash, what may have been sent waits for a receipt or a person, or is sent again",
    )
    media_download: Literal["on_demand", "auto"] = Field(
        "on_demand",
        validation_alias=AliasChoices("WIGWAG_MEDIA_DOWNLOAD"),
        description="auto: media of others are downloaded when they come",
    )
    media_budget_mib: int = Field(
        1024, ge=1, validation_alias=AliasChoices("WIGWAG_MEDIA_BUDGET_MIB"), description="media kept on disk, MiB"
    )
    outgoing_allow: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_OUTGOING_ALLOW"),
        description="networks that webhooks and media URLs may reach although not public, like 10.0.0.0/8,::1/128",
    )

    rabbitmq_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("RABBITMQ_URL"),
        description="amqp:// or amqps:// address, in place of the next five; without it and RABBITMQ_HOST: no RabbitMQ",
    )
    rabbitmq_host: str | None = Field(
        None, validation_alias=AliasChoices("RABBITMQ_HOST"), description="RabbitMQ's host; mostly rabbitmq"
    )
    rabbitmq_port: int = Field(
        5672, ge=1, le=65535, validation_alias=AliasChoices("RABBITMQ_PORT"), description="RabbitMQ's port"
    )
    rabbitmq_user: str = Field("woragis", validation_alias=AliasChoices("RABBITMQ_USER"), description="RabbitMQ's user")
    rabbitmq_password: SecretStr = Field(
        SecretStr("woragis"), validation_alias=AliasChoices("RABBITMQ_PASSWORD"), description="that user's password"
    )
    rabbitmq_vhost: str = Field(
        "woragis", validation_alias=AliasChoices("RABBITMQ_VHOST"), description="RabbitMQ's virtual host"
    )
    queue_name: str = Field(
        "whatsapp.queue",
        min_length=1,
        max_length=180,
        validation_alias=AliasChoices("WHATSAPP_QUEUE_NAME"),
        description="envelopes come from here; dead letters go to this name with .dlq",
    )
    exchange: str = Field(
        "woragis.notifications",
        min_length=1,
        max_length=255,
        validation_alias=AliasChoices("WHATSAPP_EXCHANGE"),
        description="a direct exchange, to which envelopes are published",
    )
    routing_key: str = Field(
        "whatsapp.send",
        max_length=180,
        validation_alias=AliasChoices("WHATSAPP_ROUTING_KEY"),
        description="with which envelopes are published",
    )
    prefetch: int = Field(
        1,
        ge=1,
        le=1000,
        validation_alias=AliasChoices("WHATSAPP_PREFETCH_COUNT"),
        description="envelopes in work at once, of each queue",
    )
    results_queue: str = Field(
        "",
        max_length=180,
        validation_alias=AliasChoices("WIGWAG_AMQP_RESULTS_QUEUE"),
        description="a queue that hears what becomes of every message from RabbitMQ; unset: none",
    )

    users_contacts_query: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_USERS_CONTACTS_QUERY"),
        description="SQL that returns the ids of the contacts of the user :user_id; unset: contacts are given by REST",
    )
    users_directory_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_USERS_DIRECTORY_URL"),
        description="the database of that query; unset: wigwag's own",
    )
    users_storage_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_USERS_STORAGE_URL"),
        description="where users and what was last seen of them are kept, for all nodes; unset: with everything else",
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("REDIS_URL"),
        description="redis:// or rediss:// address; gateways on the same one share their users; unset: one alone",
    )
    redis_prefix: str = Field(
        "wigwag",
        pattern=r"^[\w.:-]{1,64}$",
        validation_alias=AliasChoices("WIGWAG_REDIS_PREFIX"),
        description="keys in Redis begin with it",
    )
    users_reciprocity: bool = Field(
        False,
        validation_alias=AliasChoices("WIGWAG_USERS_RECIPROCITY"),
        description="true: a user sees of others only what the others may see of the user",
    )
    realtime_auth: Literal["jwt", "trusted"] | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_REALTIME_AUTH"),
        description="how users say who they are; trusted believes everybody, for demos; unset: no users are let in",
    )
    realtime_jwt_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("WIGWAG_REALTIME_JWT_SECRET"),
        description="signs the tokens of users (HS256); at least 32 bytes",
    )
    realtime_jwks: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_REALTIME_JWKS"),
        description="URL or file of the public keys of the tokens of users, in place of a secret",
    )
    realtime_audience: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_REALTIME_AUDIENCE"),
        description="for whom tokens must be made (aud); unset: not asked",
    )
    realtime_issuer: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_REALTIME_ISSUER"),
        description="by whom tokens must be made (iss); unset: not asked",
    )
    realtime_subject: str = Field(
        "sub",
        min_length=1,
        validation_alias=AliasChoices("WIGWAG_REALTIME_SUBJECT"),
        description="the claim of a token that has the user's id",
    )
    realtime_origins: str = Field(
        "",
        validation_alias=AliasChoices("WIGWAG_REALTIME_ORIGINS"),
        description="whose pages may connect, like https://app.example.org,http://localhost:3000; * is everybody's",
    )

    metrics_labels: Literal["name", "hashed"] = Field(
        "name",
        validation_alias=AliasChoices("WIGWAG_METRICS_LABELS"),
        description="hashed: contacts in metrics are keyed hashes instead of numbers and names",
    )
    metrics_key: SecretStr = Field(
        SecretStr(""), validation_alias=AliasChoices("WIGWAG_METRICS_KEY"), description="the key for hashed labels"
    )

    metrics_token: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("WIGWAG_METRICS_TOKEN"),
        description="what a scraper of /metrics must send as a bearer token; unset: nothing",
    )

    otlp_endpoint: str = Field(
        "",
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="where traces go, like http://collector:4318; unset: there are none; needs the extra `traces`",
    )

    @field_validator("simulator_url")
    @classmethod
    def _on_this_machine(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("give the simulator's address as http://127.0.0.1:<port>")
        return url.rstrip("/") if url else None

    @field_validator("rabbitmq_url")
    @classmethod
    def _speaks_amqp(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("amqp", "amqps"):
            raise ValueError("give RabbitMQ's address as amqp://<user>:<password>@<host>:5672/<virtual host>")
        return url

    @field_validator("redis_url")
    @classmethod
    def _speaks_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("redis", "rediss", "unix"):
            raise ValueError("give Redis's address as redis://<user>:<password>@<host>:6379/<database>")
        return url

    @field_validator("realtime_jwt_secret")
    @classmethod
    def _as_long_as_its_hash(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value().encode()) < 32:
            raise ValueError("a secret for HS256 has at least 32 bytes (RFC 7518, 3.2)")
        return secret

    @field_validator("realtime_origins")
    @classmethod
    def _origins_alone(cls, origins: str) -> str:
        return checked_origins(origins)

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.metrics_labels == "hashed" and not self.metrics_key.get_secret_value():
            raise ValueError("hashed metric labels need WIGWAG_METRICS_KEY")
        if self.results_queue and f"{self.results_queue}.".startswith(f"{self.queue_name}."):
            raise ValueError("WIGWAG_AMQP_RESULTS_QUEUE must not begin with WHATSAPP_QUEUE_NAME")
        if self.realtime_auth == "jwt" and (self.realtime_jwt_secret is None) is not bool(self.realtime_jwks):
            raise ValueError(
                "WIGWAG_REALTIME_AUTH=jwt needs WIGWAG_REALTIME_JWT_SECRET or WIGWAG_REALTIME_JWKS, not both"
            )
        if self.redis_url is not None and self.realtime_auth is None:
            raise ValueError("REDIS_URL is for users, and no users are let in: set WIGWAG_REALTIME_AUTH")
        if self.users_directory_url is not None and not self.users_contacts_query:
            raise ValueError("WIGWAG_USERS_DIRECTORY_URL needs WIGWAG_USERS_CONTACTS_QUERY")
        try:
            _ = self.pace, self.rate, self.outgoing_networks
        except InvalidSettings as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def pace(self) -> Pace:
        """The pace of subscriptions: the preset, with what was set by itself in its place."""
        preset = PRESETS[self.subscriptions_preset]
        batch, rest, gap = self.subscriptions_batch_size, self.subscriptions_batch_delay, self.subscriptions_delay
        return Pace(
            batch=preset.batch if batch is None else batch,
            rest=preset.rest if rest is None else rest,
            gap=preset.gap if gap is None else gap,
        )

    @property
    def amqp_url(self) -> str | None:
        """Where RabbitMQ is, with user and password; None: there is none."""
        if self.rabbitmq_url is not None:
            return self.rabbitmq_url.get_secret_value()
        if self.rabbitmq_host is None:
            return None
        user = f"{quote(self.rabbitmq_user, safe='')}:{quote(self.rabbitmq_password.get_secret_value(), safe='')}"
        return f"amqp://{user}@{self.rabbitmq_host}:{self.rabbitmq_port}/{quote(self.rabbitmq_vhost, safe='')}"

    @property
    def rate(self) -> Rate:
        """The pace of messages, for each account."""
        try:
            zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidSettings(f"There is no time zone {self.timezone!r}: write it like Europe/Berlin.") from error
        return Rate(
            per_minute=self.messages_per_minute,
            burst=self.messages_burst,
            jitter=self.messages_jitter,
            quiet=quiet_hours(self.quiet_hours, zone),
        )

    @property
    def outgoing_networks(self) -> tuple[Network, ...]:
        """What `outgoing_allow` names."""
        return parse_networks(self.outgoing_allow)

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """What `realtime_origins` names."""
        return listed(self.realtime_origins)

    @property
    def database_url(self) -> str:
        """Where presence is kept. It may carry a password."""
        if self.storage_url is not None:
            return self.storage_url.get_secret_value()
        return f"sqlite:///{self.session_path / 'wigwag.db'}"
