# SPDX-License-Identifier: Apache-2.0
"""Keys and tokens as a host application makes them, and as somebody makes who should not."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

NOW = 1_763_637_780.0
SECRET = "a secret of at least thirty-two bytes"
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
OKP = OKPKey.generate_key("Ed25519", {"kid": "okp"})
FOREIGN = RSAKey.generate_key(2048, {"kid": "rsa"})


class Anything(JWSRegistry):
    """Signs with every algorithm, and says nothing of it."""

    def get_alg(self, name: str) -> Any:
        return self.algorithms[name]


def minted(claims: Mapping[str, Any], key: Key, algorithm: str, **header: Any) -> str:
    """A token with a good signature."""
    registry = Anything(strict_check_header=False)
    return jwt.encode({"alg": algorithm, **header}, dict(claims), key, registry=registry)


def by_secret(secret: str = SECRET, algorithm: str = "HS256", **claims: object) -> str:
    """A token for user 7, unless said otherwise."""
    return minted({"sub": "7", **claims}, OctKey.import_key(secret), algorithm)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(header: object, claims: object, signature: str = "") -> str:
    return f"{part(header)}.{part(claims)}.{signature}"


def published(*keys: Key, **more: Any) -> bytes:
    """The public halves of keys, as a JWKS endpoint says them."""
    return json.dumps({"keys": [{**key.as_dict(private=False), **more} for key in keys]}).encode()
