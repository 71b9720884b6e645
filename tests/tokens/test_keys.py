# SPDX-License-Identifier: Apache-2.0
"""Where keys come from: when they are fetched, what of them is taken, and what happens while they cannot be had."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey

from tests.tokens.minting import EC, FOREIGN, NOW, OKP, RSA, SECRET, published
from wigwag.adapters.tokens import KeySet, Secret, file
from wigwag.domain.errors import GatewayError, InvalidSettings, Unauthenticated, Unavailable


@dataclass
class Issuer:
    """Publishes keys, or fails; and has a clock."""

    answer: bytes | GatewayError
    asked: int = 0
    time: float = NOW

    async def fetch(self) -> bytes:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return self.answer

    def now(self) -> float:
        return self.time


async def test_keys_are_fetched_once_for_everybody() -> None:
    issuer = Issuer(published(RSA, EC))
    keys = KeySet(issuer.fetch, issuer.now)
    assert issuer.asked == 0
    found = await asyncio.gather(*(keys.find(kid) for kid in ["rsa", "ec"] * 10))
    assert {pinned.algorithms for pinned in found} == {frozenset({"RS256"}), frozenset({"ES256"})}
    assert issuer.asked == 1


async def test_a_key_that_is_not_known_is_looked_up_at_most_once_a_minute() -> None:
    issuer = Issuer(published(RSA))
    keys = KeySet(issuer.fetch, issuer.now)
    await keys.find("rsa")
    for seconds, asked in ((0.0, 1), (59.0, 1), (60.0, 2), (119.0, 2), (120.0, 3)):
        issuer.time = NOW + seconds
        for kid in ("new", "other"):
            with pytest.raises(Unauthenticated):
                await keys.find(kid)
        assert issuer.asked == asked
    issuer.answer, issuer.time = published(RSA, EC), NOW + 180.0
    assert (await keys.find("ec")).algorithms == {"ES256"}


async def test_a_key_that_was_taken_back_counts_for_an_hour_at_most() -> None:
    issuer = Issuer(published(RSA, EC))
    keys = KeySet(issuer.fetch, issuer.now)
    await keys.find("rsa")
    issuer.answer, issuer.time = published(EC), NOW + 3600.0
    with pytest.raises(Unauthenticated):
        await keys.find("rsa")


@pytest.mark.parametrize(
    "answer",
    [
        Unavailable(),
        InvalidSettings(),
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": [7, null, {}, []]}',
        b"[" * 5000,
        b"\xff",
        published(OctKey.import_key(SECRET)),
    ],
    ids=repr,
)
async def test_without_keys_nobody_can_be_checked_and_known_keys_stay(answer: bytes | GatewayError) -> None:
    issuer = Issuer(answer)
    keys = KeySet(issuer.fetch, issuer.now)
    for seconds, asked in ((0.0, 1), (4.0, 1), (5.0, 2)):
        issuer.time = NOW + seconds
        with pytest.raises(Unavailable):
            await keys.find("rsa")
        assert issuer.asked == asked
    issuer.answer, issuer.time = published(RSA), NOW + 10.0
    known = await keys.find("rsa")
    issuer.answer = answer
    for seconds, asked in ((5000.0, 4), (5059.0, 4), (5060.0, 5)):
        issuer.time = NOW + seconds
        assert await keys.find("rsa") is known
        with pytest.raises(Unavailable):
            await keys.find("new")
        assert issuer.asked == asked


async def test_a_set_of_one_needs_no_id_and_a_set_of_two_does() -> None:
    issuer = Issuer(published(RSA))
    assert (await KeySet(issuer.fetch, issuer.now).find(None)).algorithms == {"RS256"}
    issuer.answer = published(RSA, EC)
    with pytest.raises(Unauthenticated):
        await KeySet(issuer.fetch, issuer.now).find(None)


async def test_keys_that_are_not_for_us_are_left_out() -> None:
    others = [
        *json.loads(published(RSA, use="enc", kid="encrypts"))["keys"],
        *json.loads(published(RSA, alg="RS512", kid="another hash"))["keys"],
        *json.loads(published(RSA, alg=["RS256"], kid="odd"))["keys"],
        *json.loads(published(ECKey.generate_key("P-384"), kid="another curve"))["keys"],
        {"kty": "OKP", "crv": "Ed25519", "x": "?", "kid": "broken"},
        {"kty": "PQC", "kid": "of tomorrow"},
        {"kty": ["RSA"]},
    ]
    issuer = Issuer(json.dumps({"keys": [*others, *json.loads(published(OKP, alg="EdDSA"))["keys"]]}).encode())
    keys = KeySet(issuer.fetch, issuer.now)
    assert (await keys.find("okp")).algorithms == {"EdDSA"}
    assert (await keys.find(None)) is await keys.find("okp")
    for kid in ("encrypts", "odd", "another hash", "another curve", "broken", "of tomorrow"):
        with pytest.raises(Unauthenticated):
            await keys.find(kid)


@given(entry=st.dictionaries(st.sampled_from(["kty", "crv", "n", "e", "x", "y", "kid", "use", "alg"]), st.text()))
async def test_an_odd_key_never_hides_the_good_one(entry: dict[str, str]) -> None:
    issuer = Issuer(json.dumps({"keys": [entry, *json.loads(published(RSA))["keys"]]}).encode())
    assert (await KeySet(issuer.fetch, issuer.now).find("rsa")).algorithms == {"RS256"}


async def test_a_file_may_hold_the_keys(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    with pytest.raises(Unavailable, match=r"jwks\.json"):
        await file(path)()
    path.write_bytes(published(RSA))
    assert (await KeySet(file(path), lambda: NOW).find("rsa")).algorithms == {"RS256"}


@pytest.mark.parametrize(
    "secret", ["", "x" * 31, FOREIGN.as_pem(private=False).decode()], ids=["none", "short", "a public key"]
)
def test_what_everybody_knows_or_guesses_is_no_secret(secret: str) -> None:
    with pytest.raises(InvalidSettings):
        Secret(secret)


async def test_a_secret_is_the_key_of_every_token() -> None:
    assert await Secret(SECRET).find("whatever") is not None
    assert isinstance((await Secret("é" * 16).find(None)).key, OctKey)
