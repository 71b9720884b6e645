# SPDX-License-Identifier: Apache-2.0
"""A gateway with keys of every kind: scopes, expired, revoked, false, a password and a cookie."""

from base64 import b64encode
from dataclasses import dataclass

import httpx

from wigwag.app.access import Rules
from wigwag.domain.access import AccessRefused, Caller, Means, Scope, digest
from wigwag.testing import Trial

SAME, CROSS = {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "cross-site"}
OURS, THEIRS = {"origin": "http://gateway.example"}, {"origin": "https://evil.example"}
EVERYTHING = frozenset({Scope.ADMIN})
FIXED, PASSWORD = "k" * 40, "anna:correct horse battery"
RULES = Rules(
    fixed={
        digest(FIXED): Caller(id="env", name="WIGWAG_API_KEY", scopes=EVERYTHING, means=Means.KEY),
        digest(PASSWORD): Caller(id="basic0", name="anna", scopes=EVERYTHING, means=Means.BASIC),
    },
    open_here=True,
    per_minute=1_000_000,
)


@dataclass
class House:
    """A closed gateway, its client without a key, and keys to it."""

    trial: Trial
    client: httpx.AsyncClient
    keys: dict[str, str]

    async def ask(self, method: str, path: str, who: str = "", **headers: str) -> httpx.Response:
        return await self.client.request(method, path, headers=self.shown(who) | headers)

    def shown(self, who: str) -> dict[str, str]:
        """The headers by which this one is known."""
        if who == "basic":
            return {"authorization": "Basic " + b64encode(PASSWORD.encode()).decode()}
        if who.startswith("cookie"):
            return {"cookie": f"wigwag={self.keys[who]}"}
        return {"authorization": f"Bearer {self.keys[who]}"} if who else {}

    def refusals(self) -> list[str]:
        return [fact.reason for fact in self.trial.facts.of(AccessRefused)]


async def keys_of(trial: Trial) -> dict[str, str]:
    keyring, now = trial.core.access.keyring, trial.clock.now()
    made = {scope.value: await keyring.create(scope, {scope}) for scope in Scope}
    made["expired"] = await keyring.create("expired", {Scope.ADMIN}, expires=now + 1)
    made["revoked"] = await keyring.create("revoked", {Scope.ADMIN})
    await keyring.revoke(made["revoked"].key.id)
    await trial.clock.advance(2)
    keys = {name: each.secret for name, each in made.items()} | {"fixed": FIXED, "false": f"{FIXED}x"}
    keys["nearly"] = keys["admin"][:-1] + ("A" if keys["admin"][-1] != "A" else "B")
    keys["cookie"], _ = await trial.core.access.sign_in(keys["admin"], "127.0.0.1")
    keys["cookie false"] = "that is a secret of nobody"
    return keys
