# SPDX-License-Identifier: Apache-2.0
"""JSON Web Tokens that the host application gives its users (RFC 7519): who signed them, for whom, until when.

Where the keys come from is not known here.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry, extract_compact

from wigwag.adapters.tokens.keys import Keys, Pinned
from wigwag.app.ports import Authenticator, Principal
from wigwag.domain.errors import InvalidUser, Unauthenticated
from wigwag.domain.users import user_id

LEEWAY = 30.0  # seconds that clocks may differ
LONGEST = 8192  # characters


class JwtAuthenticator:
    """The port Authenticator over signed tokens.

    Args:
        now: Unix seconds.
        audience: for whom a token must be made (`aud`); empty: not asked.
        issuer: by whom it must be made (`iss`); empty: not asked.
        subject: the claim that has the user's id.
    """

    def __init__(
        self, keys: Keys, now: Callable[[], float], *, audience: str = "", issuer: str = "", subject: str = "sub"
    ) -> None:
        self._keys, self._now = keys, now
        self._audience, self._issuer, self._subject = audience, issuer, subject

    async def __call__(self, token: str) -> Principal:
        """See the port. `until` is the end of the leeway."""
        if len(token) > LONGEST:
            raise Unauthenticated
        pinned = await self._keys.find(_kid(token))
        claims = _verified(token, pinned)
        self._made_for_us(claims)
        until = self._lasts(claims)
        try:
            return Principal(user=user_id(claims.get(self._subject)), until=until)
        except InvalidUser as error:
            raise Unauthenticated from error

    def _made_for_us(self, claims: Mapping[str, Any]) -> None:
        audiences = claims.get("aud")
        if self._audience and self._audience not in (audiences if isinstance(audiences, list) else [audiences]):
            raise Unauthenticated
        if self._issuer and claims.get("iss") != self._issuer:
            raise Unauthenticated

    def _lasts(self, claims: Mapping[str, Any]) -> float | None:
        """Until when the token is good. Raises Unauthenticated if that was before, or if it is not good yet."""
        now, expires = self._now(), _instant(claims, "exp")
        beginnings = [_instant(claims, "nbf"), _instant(claims, "iat")]
        if any(beginning is not None and beginning > now + LEEWAY for beginning in beginnings):
            raise Unauthenticated
        if expires is None:
            return None
        if now >= expires + LEEWAY:
            raise Unauthenticated
        return expires + LEEWAY


class _Pinning(JWSRegistry):
    """Takes the algorithms of a key and no other, and headers that we do not know, as RFC 7515, 4 has it."""

    def __init__(self, algorithms: frozenset[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)
        self._pinned = algorithms

    def get_alg(self, name: str) -> Any:
        """Without the library's advice to say Ed25519 for EdDSA: the host's issuer decides that."""
        if name not in self._pinned:
            raise UnsupportedAlgorithmError
        return self.algorithms[name]


def _kid(token: str) -> str | None:
    """The id of the key that a token names, before anything is checked."""
    try:
        kid = extract_compact(token.encode()).headers().get("kid")
    except Exception as error:  # whatever it does to the parser, it is no token
        raise Unauthenticated from error
    if kid is not None and not isinstance(kid, str):
        raise Unauthenticated
    return kid


def _verified(token: str, pinned: Pinned) -> Mapping[str, Any]:
    """The claims of a token that was signed with this key."""
    try:
        return jwt.decode(token, pinned.key, registry=_Pinning(pinned.algorithms)).claims
    except Exception as error:  # the same
        raise Unauthenticated from error


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    """A claim in Unix seconds. Raises Unauthenticated if it is something else."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise Unauthenticated
    return float(value)


if TYPE_CHECKING:
    _: type[Authenticator] = JwtAuthenticator
