# SPDX-License-Identifier: Apache-2.0
"""Logs: one line a fact, JSON in production, readable in development, and never a phone number in full.

All libraries log through the standard library into the same place, so that masking has one choke point.
"""

import logging
import logging.handlers
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

import structlog

from wigwag.domain.ids import mask

FILE_SIZE, FILES = 10_000_000, 5  # bytes a log file, and how many are kept

_QUIET = {  # loggers that say too much at their default level
    "neonize": logging.ERROR,
    "neonize.utils.ffmpeg": logging.CRITICAL,
    "uvicorn": logging.WARNING,
    "uvicorn.access": logging.CRITICAL,
    "httpx": logging.WARNING,
    "asyncio": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "alembic": logging.WARNING,
    "opentelemetry": logging.CRITICAL,  # whether spans arrive, we say ourselves
    "urllib3": logging.WARNING,
    "whatsmeow": logging.INFO,  # in detail it writes pairing codes and whole stanzas
}
_EXACT = ("timestamp", "level", "logger", "action", "trace_id")  # keys whose values are ours and never hold a number

_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

Event = MutableMapping[str, Any]


def mask_numbers(_logger: object, _method: str, event: Event) -> Event:
    """A structlog processor: no value leaves with a phone number in it."""
    for key, value in event.items():
        if key not in _EXACT:
            event[key] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, bool | float | None) or (isinstance(value, int) and abs(value) < 10**6):
        return value
    if isinstance(value, Mapping):
        return {mask(str(key)): _masked(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(each) for each in value]
    return mask(str(value))


def formatter(*, production: bool) -> logging.Formatter:
    """Makes a line of a record: JSON in production, readable otherwise."""
    last: list[structlog.typing.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # before the mask: an exception may quote a number
        mask_numbers,
    ]
    if production:
        last.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    else:
        last.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=36))
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=last)


def set_up(*, production: bool, debug: bool = False, directory: Path | None = None) -> None:
    """Send everything that is logged to standard error, and to rotating files if a directory is given."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(directory / "wigwag.log", maxBytes=FILE_SIZE, backupCount=FILES)
        )
    for handler in handlers:
        handler.setFormatter(formatter(production=production))
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=handlers, force=True)
    for name, level in _QUIET.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
