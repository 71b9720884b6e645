# SPDX-License-Identifier: Apache-2.0
"""Tokens: the host's own are believed, and everything else is Unauthenticated and nothing worse."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OctKey
from joserfc.jws import serialize_compact

from tests.tokens.minting import (
    EC,
    FOREIGN,
    NOW,
    OKP,
    RSA,
    SECRET,
    by_secret,
    minted,
    part,
    published,
    unsigned,
)
from wigwag.adapters.tokens import JwtAuthenticator, KeySet, Secret
from wigwag.app.ports import Principal
from wigwag.domain.errors import Unauthenticated

PEM = RSA.as_pem(private=False).decode()


def now() -> float:
    return NOW


def secretly(**known: str) -> JwtAuthenticator:
    return JwtAuthenticator(Secret(SECRET), now, **known)


async def document() -> bytes:
    return published(RSA, EC, OKP)


def publicly() -> JwtAuthenticator:
    return JwtAuthenticator(KeySet(document, now), now)


@pytest.mark.parametrize(
    ("token", "principal"),
    [
        (by_secret(), Principal(user=7)),
        (by_secret(sub=7), Principal(user=7)),
        (by_secret(sub="anna"), Principal(user="anna")),
        (by_secret(exp=NOW + 60, nbf=NOW, iat=NOW), Principal(user=7, until=NOW + 90)),
        (by_secret(exp=int(NOW) - 29, nbf=NOW + 30, iat=NOW + 30.0), Principal(user=7, until=NOW + 1)),
        (by_secret(aud="others", iss="others", admin=True), Principal(user=7)),
    ],
)
async def test_a_token_that_the_host_signed_says_who_somebody_is_and_until_when(
    token: str, principal: Principal
) -> None:
    assert await secretly()(token) == principal


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (EC, "ES256"), (OKP, "EdDSA"), (OKP, "Ed25519")],
    ids=lambda each: str(each)[:9],
)
async def test_public_keys_are_found_by_their_ids(key: Any, algorithm: str) -> None:
    token = minted({"sub": "7"}, key, algorithm, kid=key.kid, cat="a header that nobody knows")
    assert await publicly()(token) == Principal(user=7)


async def test_audience_issuer_and_subject_are_those_of_the_settings() -> None:
    known = secretly(audience="wigwag", issuer="https://host.example", subject="user_id")
    good: dict[str, Any] = {"aud": ["other", "wigwag"], "iss": "https://host.example", "user_id": 8}
    assert (await known(by_secret(**good))).user == 8
    assert (await known(by_secret(**{**good, "aud": "wigwag"}))).user == 8
    for bad in ({"aud": "wig"}, {"aud": ["wig"]}, {"aud": None}, {"aud": {"wigwag": 1}}, {"iss": "x"}, {"iss": None}):
        with pytest.raises(Unauthenticated):
            await known(by_secret(**{**good, **bad}))
    with pytest.raises(Unauthenticated):
        await known(by_secret(aud="wigwag", iss="https://host.example"))


MODEST = {"alg": "HS256"}
GOOD = by_secret()
HEAD, BODY, SIGNATURE = GOOD.split(".")


@pytest.mark.parametrize(
    "token",
    {
        "expired": by_secret(exp=NOW - 30),
        "not good yet": by_secret(nbf=NOW + 31),
        "of the future": by_secret(iat=NOW + 31),
        "expires at no time": by_secret(exp="tomorrow"),
        "expires when yes": by_secret(exp=True),
        "expires at infinity": by_secret(exp=1e300 * 1e10),
        "expires when it is no number": by_secret(exp=float("nan")),
        "expires in a list": by_secret(exp=[NOW + 9]),
        "another secret": by_secret("another secret of more than 32 bytes"),
        "another hash": by_secret(algorithm="HS512"),
        "no user": minted({"name": "Anna"}, OctKey.import_key(SECRET), "HS256"),
        "user null": by_secret(sub=None),
        "user true": by_secret(sub=True),
        "user of two words": by_secret(sub="two words"),
        "user in a list": by_secret(sub=[7]),
        "user below zero": by_secret(sub=-7),
        "none": unsigned({"alg": "none"}, {"sub": "7"}),
        "None": unsigned({"alg": "None"}, {"sub": "7"}),
        "none with a signature": unsigned({"alg": "none"}, {"sub": "7"}, SIGNATURE),
        "no algorithm": unsigned({}, {"sub": "7"}, SIGNATURE),
        "algorithms": unsigned({"alg": ["HS256"]}, {"sub": "7"}, SIGNATURE),
        "no signature": f"{HEAD}.{BODY}.",
        "claims of another": f"{HEAD}.{part({'sub': '8'})}.{SIGNATURE}",
        "signature cut": GOOD[:-2],
        "critical": unsigned({**MODEST, "crit": ["wigwag"], "wigwag": 1}, {"sub": "7"}, SIGNATURE),
        "odd id of a key": unsigned({**MODEST, "kid": ["rsa"]}, {"sub": "7"}, SIGNATURE),
        "header no object": unsigned("alg", {"sub": "7"}, SIGNATURE),
        "header a list": unsigned(["alg"], {"sub": "7"}, SIGNATURE),
        "deep": f"{'W1tb' * 100}.{'W1tb' * 1900}.{SIGNATURE}",
        "five parts": f"{GOOD}.a.b",
        "long": by_secret(name="x" * 8192),
        "half a character": "\ud83d",
        "empty": "",
        "dots": "..",
    }.items(),
    ids=lambda named: named[0],
)
async def test_every_other_token_is_refused(token: tuple[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        await secretly()(token[1])


@pytest.mark.parametrize("claims", [[], "sub", 7, None, [{"sub": 7}]], ids=str)
async def test_claims_that_are_no_object_are_refused_though_well_signed(claims: object) -> None:
    token = serialize_compact({"alg": "HS256"}, json.dumps(claims), OctKey.import_key(SECRET), ["HS256"])
    with pytest.raises(Unauthenticated):
        await secretly()(token)


@pytest.mark.parametrize(
    "token",
    {
        "of a foreign key": minted({"sub": "7"}, FOREIGN, "RS256", kid="rsa"),
        "of another of our keys": minted({"sub": "7"}, EC, "ES256", kid="rsa"),
        "the public key as a secret": f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{BODY}.{SIGNATURE}",
        "another padding": minted({"sub": "7"}, RSA, "PS256", kid="rsa"),
        "another hash": minted({"sub": "7"}, RSA, "RS512", kid="rsa"),
        "no id among several": minted({"sub": "7"}, RSA, "RS256"),
        "none": unsigned({"alg": "none", "kid": "rsa"}, {"sub": "7"}),
        "its own key": unsigned({"alg": "RS256", "kid": "rsa", "jwk": FOREIGN.as_dict()}, {"sub": "7"}, SIGNATURE),
        "a file as the id": minted({"sub": "7"}, FOREIGN, "RS256", kid="../../etc/passwd"),
    }.items(),
    ids=lambda named: named[0],
)
async def test_no_key_serves_another_algorithm_or_another_owner(token: tuple[str, str]) -> None:
    with pytest.raises(Unauthenticated):
        await publicly()(token[1])


async def test_a_public_key_is_no_secret_for_a_forger() -> None:
    """RS256 taken for HS256: the forger signs with what everybody knows."""
    said = f"{part({'alg': 'HS256', 'kid': 'rsa'})}.{BODY}"
    signature = urlsafe_b64encode(hmac.digest(PEM.encode(), said.encode(), hashlib.sha256)).rstrip(b"=").decode()
    with pytest.raises(Unauthenticated):
        await publicly()(f"{said}.{signature}")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
headers = values | st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "RS256", "none", "ES256"]) | values},
    optional={"kid": st.sampled_from(["rsa", "ec"]) | values, "crit": values, "b64": values, "typ": values},
)
odd = st.text() | st.builds("{}.{}.{}".format, headers.map(part), values.map(part), st.text(max_size=20))


@given(token=odd)
async def test_odd_tokens_are_refused_and_nothing_breaks(token: str) -> None:
    for authenticator in (secretly(), publicly()):
        with pytest.raises(Unauthenticated):
            await authenticator(token)


@given(claims=st.fixed_dictionaries({}, optional=dict.fromkeys(["sub", "exp", "nbf", "iat", "aud", "iss"], values)))
async def test_odd_claims_of_the_host_are_a_user_or_refused(claims: dict[str, Any]) -> None:
    try:
        principal = await secretly(audience="a", issuer="b")(by_secret(**claims))
    except Unauthenticated:
        return
    assert principal.until is None or principal.until > NOW
