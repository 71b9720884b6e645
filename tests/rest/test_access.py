# SPDX-License-Identifier: Apache-2.0
"""Every request with every kind of caller: nothing is readable without a key, and a key does what its scopes say."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.desk import Desk, DeskGateway
from tests.rest.conftest import World
from tests.rest.house import CROSS, EVERYTHING, OURS, SAME, THEIRS, House
from wigwag.adapters.rest import build_app
from wigwag.adapters.rest.scopes import needed
from wigwag.app.access.desk import GUESSES
from wigwag.domain.access import Caller, Means, Scope
from wigwag.testing import FakeClock, open_access

DOCS = (Path(__file__).parents[2] / "docs" / "ACCESS.md").read_text()


ENDS = {"follow_events": "?types=nothing"}  # without this mistake it never ends


@cache
def described() -> list[tuple[str, str, str]]:
    """Operation, method and path of every request."""
    app = build_app(
        DeskGateway(Desk()),
        access=open_access(clock := FakeClock()),
        clock=clock,
        exposition=World().exposition,
        observe=World().observe,
        ready=World().ready,
        version="1",
    )
    paths = app.openapi()["paths"].items()
    return [(each["operationId"], verb.upper(), path) for path, verbs in paths for verb, each in verbs.items()]


async def answers(house: House, who: str, *, unsafe_only: bool = False, **headers: str) -> dict[str, int]:
    """What each operation answers to a caller who sends nothing but empty hands."""
    found = {
        name: (await house.ask(method, re.sub("[{}]", "", path) + ENDS.get(name, ""), who, **headers)).status_code
        for name, method, path in sorted(
            described(), key=lambda each: each[0] == "sign_out"
        )  # it ends what others need
        if not unsafe_only or method != "GET"
    }
    assert 500 not in found.values()
    return found


FOR_ANYBODY = {"livez": 200, "readyz": 200, "healthz": 200, "sign_in": 422}


@pytest.mark.parametrize("who", ["", "false", "nearly", "expired", "revoked", "cookie false"])
async def test_nothing_is_readable_without_a_good_key(who: str, house: House) -> None:
    found = await answers(house, who)
    refused = [status for name, status in found.items() if name not in FOR_ANYBODY]
    assert FOR_ANYBODY.items() <= found.items()
    assert refused.count(401) == (GUESSES.limit if who in ("false", "nearly") else len(refused))
    assert refused.count(429) == len(refused) - refused.count(401)


def test_the_docs_say_which_scope_each_request_needs() -> None:
    rows = re.findall(r"^\| (.*) \| (none|any key|`\w+`)", DOCS, re.MULTILINE)
    exact = {request: scope for text, scope in rows for request in re.findall(r"`([A-Z]+ /[^`…]+)`", text)}
    whole = [path for text, scope in rows if text.startswith("`GET` of") for path in re.findall(r"`(/[^`]+)`", text)]
    for name, method, path in described():
        said = exact.get(f"{method} {path}")
        if said is None and method == "GET" and any(_names(pattern, path) for pattern in whole):
            said = "`read`"
        scope = needed(name)
        assert (said or "`admin`") == (
            f"`{scope}`" if scope is not None else "none" if name in FOR_ANYBODY else "any key"
        )


def _names(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("…") else path == pattern


@pytest.mark.parametrize("who", ["fixed", "basic", *Scope])
async def test_a_key_does_what_its_scopes_say_and_nothing_else(who: str, house: House) -> None:
    scopes = frozenset({Scope(who)}) if who in set(Scope) else EVERYTHING
    caller = Caller(id=who, name=who, scopes=scopes, means=Means.KEY)
    found = await answers(house, who)
    forbidden = {name for name, status in found.items() if status == 403}
    assert forbidden == {name for name in found if (scope := needed(name)) is not None and not caller.may(scope)}
    assert 401 not in found.values()
    assert house.refusals() == ["scope"] * len(forbidden)


@pytest.mark.parametrize("proof", [OURS, {"x-wigwag-request": "1"}, SAME, OURS | SAME, {"origin": "null"} | SAME])
async def test_a_browser_with_a_proof_may_do_what_its_key_may(proof: dict[str, str], house: House) -> None:
    found = await answers(house, "cookie", unsafe_only=True, **proof)
    assert not {401, 403} & set(found.values())


@pytest.mark.parametrize(
    "proof", [{}, THEIRS, CROSS, THEIRS | CROSS, THEIRS | {"x-wigwag-request": "1"}, {"origin": "null"}]
)
async def test_a_browser_without_a_proof_changes_nothing(proof: dict[str, str], house: House) -> None:
    found = await answers(house, "cookie", unsafe_only=True, **proof)
    assert {name for name, status in found.items() if status != 403} == ({"sign_in"} if not proof else set())
    assert set(house.refusals()) <= {"unproven", "foreign_page"}


@pytest.mark.parametrize("who", ["", "admin", "basic", "cookie"])
async def test_a_page_of_another_site_changes_nothing_whatever_it_shows(who: str, house: House) -> None:
    assert set((await answers(house, who, unsafe_only=True, **THEIRS)).values()) == {403}
