# SPDX-License-Identifier: Apache-2.0
"""/api/presence: what seed 000 shows, byte for byte, and what it leaves open."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from tests.rest.conftest import ANNA, BERT, World
from wigwag.domain.events import Typing, TypingReported
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status
from wigwag.testing import START, Trial


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def put(trial: Trial, jid: str, name: str, status: Status = Status.UNKNOWN, **more: float) -> None:
    trial.core.book.put(Presence(jid=Jid(jid), name=name, account="default", status=status, **more))  # type: ignore[arg-type]


@pytest.fixture
def seed(trial: Trial) -> None:
    """The two contacts of the seed."""
    online, seen, offline = map(seconds, ("2025-10-23T21:30:00Z", "2025-10-23T20:15:00Z", "2025-10-23T20:45:00Z"))
    put(trial, ANNA, "John Doe", Status.ONLINE, last_seen=online + 0.9, since=online + 0.4, heard=online)
    put(trial, BERT, "Jane Smith", Status.OFFLINE, last_seen=seen, since=offline, heard=offline)


JOHN = (
    '{"jid":"919876543210@s.whatsapp.net","name":"John Doe","is_online":true,'
    '"last_seen":"2025-10-23T21:30:00Z","last_status_change":"2025-10-23T21:30:00Z","observed":true}'
)
JANE = (
    '{"jid":"919123456789@s.whatsapp.net","name":"Jane Smith","is_online":false,'
    '"last_seen":"2025-10-23T20:15:00Z","last_status_change":"2025-10-23T20:45:00Z","observed":true}'
)


@pytest.mark.usefixtures("seed")
async def test_the_list_is_that_of_the_seed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/presence")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.text == f"[{JOHN},{JANE}]"


@pytest.mark.usefixtures("seed")
@pytest.mark.parametrize("spelling", [ANNA, "+91 98765 43210", "919876543210", "919876543210@c.us"])
async def test_one_contact_is_found_under_any_spelling(client: httpx.AsyncClient, spelling: str) -> None:
    assert (await client.get(f"/api/presence/{spelling}")).text == JOHN


@pytest.mark.usefixtures("seed")
async def test_the_counts_are_those_of_the_seed_and_add_up(client: httpx.AsyncClient, trial: Trial) -> None:
    """The total is online, offline and unobserved together."""
    put(trial, "15550001111@s.whatsapp.net", "Unheard")
    answer = await client.get("/api/presence/stats")
    assert answer.text == '{"total_contacts":3,"online_count":1,"offline_count":1,"observed":2}'


async def test_nothing_is_claimed_of_who_was_never_heard(client: httpx.AsyncClient, trial: Trial) -> None:
    put(trial, ANNA, "Anna", since=START)
    assert (await client.get(f"/api/presence/{ANNA}")).json() == {
        "jid": ANNA,
        "name": "Anna",
        "is_online": False,
        "last_seen": None,
        "last_status_change": None,
        "observed": False,
    }


async def test_an_empty_list_is_a_list(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/presence")).text == "[]"


@pytest.mark.usefixtures("seed")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["John Doe", "Jane Smith", "Unheard"]),
        ("online=true", ["John Doe"]),
        ("online=false", ["Jane Smith", "Unheard"]),
        ("observed=false", ["Unheard"]),
        ("online=false&observed=true", ["Jane Smith"]),
        ("q=jAnE", ["Jane Smith"]),
        ("q=9876543210", ["John Doe"]),
        ("q=nobody", []),
        ("limit=1", ["John Doe"]),
        ("q=E&limit=2", ["John Doe", "Jane Smith"]),
    ],
)
async def test_the_list_can_be_filtered(client: httpx.AsyncClient, trial: Trial, query: str, names: list[str]) -> None:
    put(trial, "15550001111@s.whatsapp.net", "Unheard")
    assert [contact["name"] for contact in (await client.get(f"/api/presence?{query}")).json()] == names


@pytest.mark.parametrize("name", ["a\ud800b", 'x" \\ \n \u2028 😀', "\0"])
async def test_any_name_makes_good_json(client: httpx.AsyncClient, trial: Trial, name: str) -> None:
    put(trial, ANNA, name)
    shown = (await client.get("/api/presence")).json()[0]["name"]
    assert shown == (await client.get(f"/api/presence/{ANNA}")).json()["name"]
    assert shown == name.replace("\0", "?").encode("utf-8", "replace").decode()


async def test_a_long_list_lets_others_run(client: httpx.AsyncClient, trial: Trial) -> None:
    for index in range(2_000):
        put(trial, f"{10**9 + index}@s.whatsapp.net", "x")
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other(), name="other")
    listed = (await client.get("/api/presence")).json()
    task.cancel()
    assert len(listed) == 2_000
    assert turns >= 2_000 // 256


async def test_contacts_may_come_and_go_while_the_list_is_read(client: httpx.AsyncClient, trial: Trial) -> None:
    jids = [f"{10**9 + index}@s.whatsapp.net" for index in range(1_000)]
    for jid in jids:
        put(trial, jid, "x")

    async def busy() -> None:
        for index, jid in enumerate(jids):
            put(trial, f"{2 * 10**9 + index}@s.whatsapp.net", "new")
            trial.core.book.remove(Jid(jid))
            await asyncio.sleep(0)

    task = asyncio.create_task(busy(), name="busy")
    listed = [contact["jid"] for contact in (await client.get("/api/presence")).json()]
    await task
    assert len(listed) == len(set(listed))


# --- history


async def observed_day(trial: Trial) -> None:
    """Anna: observed from 10 s on, online from 20 s to 40 s and from 60 s on. The link holds."""
    await trial.connect()
    await trial.core.gateway.track([(ANNA, "Anna")])
    await trial.clock.advance(20)
    for online, lasts in ((True, 20), (False, 20), (True, 20)):
        trial.whatsapp.tell_presence(Jid(ANNA), online)
        await trial.clock.advance(lasts)


async def test_history_tells_online_offline_and_unobserved_apart(client: httpx.AsyncClient, trial: Trial) -> None:
    await observed_day(trial)
    answer = (await client.get(f"/api/presence/{ANNA}/history")).json()
    assert list(answer) == ["jid", "name", "from", "to", "online", "observed"]
    assert (answer["jid"], answer["name"]) == (ANNA, "Anna")
    assert (seconds(answer["from"]), seconds(answer["to"])) == (START + 80 - 86400, START + 80)
    assert answer["online"] == [
        {"from": rfc3339(START + 20), "to": rfc3339(START + 40)},
        {"from": rfc3339(START + 60), "to": None},
    ]
    assert answer["observed"] == [{"from": rfc3339(START), "to": None}]


@pytest.mark.parametrize(
    ("window", "online"),
    [
        ((0, 30), [(20, 30)]),
        ((25, 35), [(25, 35)]),
        ((25, 70), [(25, 40), (60, 70)]),
        ((70, 80), [(70, None)]),
        ((70, 500), [(70, None)]),
        ((40, 60), []),
        ((0, 20), []),
    ],
)
@pytest.mark.parametrize("written", [lambda at: str(int(at)), rfc3339])
async def test_history_is_cut_to_the_window(
    client: httpx.AsyncClient,
    trial: Trial,
    window: tuple[int, int],
    online: list[tuple[int, int | None]],
    written: type[str],
) -> None:
    """An interval that lasts has no end, but only in a window that reaches until now."""
    await observed_day(trial)
    query = {"from": written(START + window[0]), "to": written(START + window[1])}
    answer = (await client.get(f"/api/presence/{ANNA}/history", params=query)).json()
    expected = [
        {"from": rfc3339(START + start), "to": None if end is None else rfc3339(START + end)} for start, end in online
    ]
    assert answer["online"] == expected


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "from=2027-01-15T08:00:00",
        "from=2000&to=1000",
        "from=1000&to=1000",
        "from=0&to=8000000",
        "from=2030-01-01T00:00:00Z",
        "to=0001-01-01T00:00:00Z",
        "from=-5&to=5",
        "from=1e400",
        "from=nan",
    ],
)
async def test_a_window_that_makes_no_sense_is_refused(client: httpx.AsyncClient, trial: Trial, query: str) -> None:
    put(trial, ANNA, "Anna")
    answer = await client.get(f"/api/presence/{ANNA}/history?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_history_of_a_contact_is_gone_once_they_are_erased(client: httpx.AsyncClient, trial: Trial) -> None:
    await observed_day(trial)
    assert (await client.delete(f"/api/contacts/{ANNA}")).status_code == 204
    for path in (f"/api/presence/{ANNA}", f"/api/presence/{ANNA}/history"):
        assert (await client.get(path)).status_code == 404
    assert (await client.get("/api/subscriptions")).json() == []
    assert await trial.stores.presence.history(Jid(ANNA), 0.0, 3e9) == []


async def test_erasing_a_stranger_is_fine(client: httpx.AsyncClient) -> None:
    answer = await client.delete(f"/api/contacts/{BERT}")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_who_types_is_shown_while_they_do(client: httpx.AsyncClient, trial: Trial) -> None:
    put(trial, ANNA, "Anna")
    trial.whatsapp.tell(TypingReported(account="default", jid=Jid(ANNA), typing=Typing.RECORDING, at=START))
    await trial.clock.settle()
    typing = {"jid": ANNA, "name": "Anna", "typing": "recording", "since": rfc3339(START)}
    assert (await client.get("/api/presence/typing")).json() == [typing]
    await trial.clock.advance(60)
    assert (await client.get("/api/presence/typing")).json() == []


async def test_requests_are_measured_by_template_and_never_by_number(client: httpx.AsyncClient, world: World) -> None:
    await client.get(f"/api/presence/{ANNA}")
    await client.get(f"/api/presence/{ANNA}/history")
    await client.get(f"/nothing/{ANNA}")
    await client.request("BREW", "/livez")
    assert world.requests == [
        ("/api/presence/{jid}", "GET", 404),
        ("/api/presence/{jid}/history", "GET", 404),
        ("none", "GET", 404),
        ("/livez", "other", 405),
    ]
