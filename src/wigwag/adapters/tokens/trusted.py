# SPDX-License-Identifier: Apache-2.0
"""Believes everybody, for demos: the token is the user's id. Never for a network in which somebody may lie."""

import logging
from typing import TYPE_CHECKING

from wigwag.app.ports import Authenticator, Principal
from wigwag.domain.errors import InvalidUser, Unauthenticated
from wigwag.domain.users import user_id

log = logging.getLogger(__name__)


class TrustedAuthenticator:
    """The port Authenticator without any proof."""

    def __init__(self) -> None:
        log.warning("Users are whoever they say they are: set WIGWAG_REALTIME_AUTH=jwt before others can connect")

    async def __call__(self, token: str) -> Principal:
        try:
            return Principal(user=user_id(token))
        except InvalidUser as error:
            raise Unauthenticated from error


if TYPE_CHECKING:
    _: type[Authenticator] = TrustedAuthenticator
