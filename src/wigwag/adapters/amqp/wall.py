# SPDX-License-Identifier: Apache-2.0
"""The room's wall: each call to the broker ends within a time limit, and its errors become BrokerUnavailable.

A call that is given up is not waited for, because the library may hang where it tidies up after it: then the connection
is cut, which ends all calls.
"""

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from aiormq.exceptions import (
    AMQPError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    InvalidFrameError,
    ProbableAuthenticationError,
    PublishError,
)

from wigwag.domain.errors import BrokerUnavailable

T = TypeVar("T")
PATIENCE = 5.0  # seconds for the broker to answer a call

# It tells each connection error in its own words, and at the level of debugging it prints whole messages.
for _library in ("aiormq", "pamqp"):
    logging.getLogger(_library).setLevel(logging.CRITICAL)

ERRORS = (AMQPError, RuntimeError, OSError, TimeoutError)  # a closed channel is a RuntimeError there


class Unroutable(BrokerUnavailable):
    """No queue takes this message."""


async def within(work: Coroutine[Any, Any, T], seconds: float = PATIENCE) -> T:
    """Wait for a call to the broker, but no longer. Raises BrokerUnavailable."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise BrokerUnavailable(f"RabbitMQ did not answer within {seconds:g} s.")
        if task.cancelled():  # by the library, when the connection ended
            raise BrokerUnavailable("The connection to RabbitMQ was lost.")
        with translated():
            return task.result()
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_forget)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the library become BrokerUnavailable, with a sentence that says what to do."""
    try:
        yield
    except ERRORS as error:
        kind = Unroutable if isinstance(error, PublishError) else BrokerUnavailable
        raise kind(_sentence(error)) from error


def _sentence(error: Exception) -> str:
    shut_out = isinstance(error, InvalidFrameError) and "Connection.OpenOk" in str(error)  # the answer was a farewell
    advice = _WRONG_VHOST if shut_out else next((text for kind, text in _ADVICE if isinstance(error, kind)), _SILENT)
    return advice.format(said=_said(error))


_WRONG_VHOST = (
    "RabbitMQ does not let this user into the virtual host, or there is none of this name: check RABBITMQ_VHOST, "
    "and see rabbitmqctl list_permissions."
)
_SILENT = "RabbitMQ does not answer: {said}"
_ADVICE: tuple[tuple[type[Exception], str], ...] = (
    (
        ProbableAuthenticationError,
        "RabbitMQ refuses the login: check RABBITMQ_USER and RABBITMQ_PASSWORD, or RABBITMQ_URL.",
    ),
    (
        ChannelPreconditionFailed,
        (
            "A queue or exchange of this name exists with other arguments: delete it, or set another "
            "WHATSAPP_QUEUE_NAME or WHATSAPP_EXCHANGE. RabbitMQ said: {said}"
        ),
    ),
    (
        ChannelAccessRefused,
        "RabbitMQ does not permit this user to do that: see rabbitmqctl set_permissions. It said: {said}",
    ),
    (ChannelNotFoundEntity, "Somebody deleted a queue or an exchange. RabbitMQ said: {said}"),
    (PublishError, "No queue takes this message: it may have been deleted."),
)


def _said(error: Exception) -> str:
    return str(error.args[-1] if error.args and isinstance(error.args[-1], str) else error) or type(error).__name__


def _forget(task: "asyncio.Future[Any]") -> None:
    """Look at how an abandoned call ended, so that nobody complains that nobody did."""
    if not task.cancelled():
        task.exception()
