# SPDX-License-Identifier: Apache-2.0
"""/api/users: users of the host application, their contacts, and their presence here and on WhatsApp."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.desk import START, Desk, DeskGateway
from tests.rest.conftest import ANNA, World, speaking_to
from wigwag.adapters.memory.roster import MemoryRoster
from wigwag.adapters.memory.users import MemoryLastSeenStore, MemoryUserStore
from wigwag.app.grants import Grants
from wigwag.app.lobby import Lobby
from wigwag.app.ports import User
from wigwag.domain.book import Book
from wigwag.domain.errors import NotFound
from wigwag.domain.events import Fact
from wigwag.domain.ids import Jid
from wigwag.domain.presence import Presence, Status
from wigwag.domain.users import Audience, Choice, Privacy
from wigwag.testing import FakeClock

USERS = "/api/users"
V = 1_800_000_000_001  # of the second change at the first instant of a trial
WHOLE = {
    "name": "Anna",
    "phone_number": "+15550100042",
    "profile_pic": "https://example.org/anna.png",
    "jid": ANNA,
    "privacy_settings": {"show_online_status": "everyone", "show_last_seen": "nobody"},
}
EMPTY = {
    "name": "",
    "phone_number": None,
    "profile_pic": None,
    "jid": None,
    "privacy_settings": {"show_online_status": "contacts", "show_last_seen": "contacts"},
}


class Host(DeskGateway):
    """A gateway that has users, and tracks whom the test says."""

    def __init__(self) -> None:
        super().__init__(Desk())
        self.tracked: dict[str, Presence] = {}
        self.facts: list[Fact] = []
        self.users = self.kept = MemoryUserStore()
        self.book = Book()
        self.grants = Grants(book=self.book, store=self.kept, clock=FakeClock(START), announce=self.facts.append)
        self.clock = FakeClock(START)
        self.lobby = Lobby(
            directory=self.kept,
            store=MemoryLastSeenStore(self.kept),
            roster=MemoryRoster(self.clock),
            clock=self.clock,
            announce=self.facts.append,
        )

    def presence(self, contact: str) -> Presence:
        if contact not in self.tracked:
            raise NotFound
        return self.tracked[contact]


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    await host.lobby.start()
    task = asyncio.create_task(host.lobby.run(), name="lobby")
    yield host
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def api(host: Host, world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with speaking_to(host, FakeClock(START), world) as client:
        yield client


@pytest.mark.parametrize("user", [7, "anna"])
@pytest.mark.parametrize("wish", [WHOLE, EMPTY, {}])
async def test_a_user_is_kept_as_put_and_the_last_one_counts(
    wish: dict[str, object], user: int | str, api: httpx.AsyncClient
) -> None:
    for put in ({"name": "Bruno", "phone_number": "1234"}, wish):
        answer = await api.put(f"{USERS}/{user}", json=put)
        assert (answer.status_code, answer.json()) == (200, {"id": user, **EMPTY, **put})
        assert (await api.get(f"{USERS}/{user}")).json() == answer.json()


async def test_the_store_gets_what_was_put(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/007", json={**WHOLE, "jid": "+91 98765 43210"})
    assert await host.kept.get(7) == User(
        id=7,
        name="Anna",
        phone_number="+15550100042",
        profile_pic="https://example.org/anna.png",
        privacy=Privacy(status=Audience.EVERYONE, last_seen=Audience.NOBODY),
        jid=Jid(ANNA),
    )


@pytest.mark.parametrize(
    "wish",
    [
        {"name": "x" * 256},
        {"name": None},
        {"phone_number": "1" * 21},
        {"phone_number": "call me"},
        {"phone_number": ""},
        {"profile_pic": "x" * 2049},
        {"jid": "120363400902171371@g.us"},
        {"privacy_settings": {"show_online_status": "friends"}},
        {"privacy_settings": {"online": "everyone"}},
        {"status": "online"},
        [],
    ],
    ids=str,
)
async def test_what_is_no_user_is_refused_and_not_kept(wish: object, api: httpx.AsyncClient) -> None:
    answer = await api.put(f"{USERS}/7", json=wish)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert (await api.get(f"{USERS}/7")).status_code == 404


@pytest.mark.parametrize("path", ["/two words", "/" + "x" * 65, "/é/presence", "?after=two words", "?limit=0"])
async def test_what_is_no_id_is_refused(path: str, api: httpx.AsyncClient) -> None:
    assert (await api.get(f"{USERS}{path}")).status_code == 422


async def test_a_phone_number_of_another_is_a_conflict(api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json=WHOLE)
    answer = await api.put(f"{USERS}/8", json=WHOLE)
    assert (answer.status_code, answer.json()["detail"]) == (409, "Another user has this phone number.")


async def test_users_are_listed_in_pages(api: httpx.AsyncClient) -> None:
    for user in (10, 9, "b", "a"):
        await api.put(f"{USERS}/{user}", json={})
    first = (await api.get(f"{USERS}?limit=3")).json()
    assert ([user["id"] for user in first["users"]], first["next"]) == ([10, 9, "a"], "a")
    last = (await api.get(f"{USERS}?limit=3&after={first['next']}")).json()
    assert ([user["id"] for user in last["users"]], last["next"]) == (["b"], None)


async def test_nobody_is_no_user(api: httpx.AsyncClient) -> None:
    for answer in (
        await api.get(f"{USERS}/7"),
        await api.get(f"{USERS}/7/presence"),
        await api.delete(f"{USERS}/7"),
        await api.put(f"{USERS}/7/contacts", json={"contacts": [8]}),
        await api.delete(f"{USERS}/7/contacts?contact=8"),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such user.")


async def test_contacts_come_and_go_in_both_directions(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json={})
    for contacts in ([8, "anna"], ["8", 9]):
        assert (await api.put(f"{USERS}/7/contacts", json={"contacts": contacts})).status_code == 204
    assert await host.kept.contacts(7) == {8, 9, "anna"}
    assert (await api.delete(f"{USERS}/7/contacts?contact=9&contact=anna")).status_code == 204
    assert await host.kept.contacts(7) == {8}
    assert await host.kept.contacts(9) == set()


@pytest.mark.parametrize("contacts", [[], None, "8", [True], [1.5], ["two words"], [-1], [[8]], [1] * 10_001], ids=str)
async def test_contacts_that_are_no_users_are_refused(contacts: object, host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json={})
    answer = await api.put(f"{USERS}/7/contacts", json={"contacts": contacts})
    assert answer.status_code == 422
    assert await host.kept.contacts(7) == set()
    assert (await api.delete(f"{USERS}/7/contacts")).status_code == 422


async def test_a_contact_sees_a_change_of_privacy_at_once(host: Host, api: httpx.AsyncClient) -> None:
    for user in (7, 8):
        await api.put(f"{USERS}/{user}", json={})
    await host.lobby.enter(7, "phone")
    assert (await host.lobby.view(8, [7]))[0].status == "offline"
    await api.put(f"{USERS}/7/contacts", json={"contacts": [8]})
    assert (await host.lobby.view(8, [7]))[0].status == "online"
    await api.put(f"{USERS}/7", json={"privacy_settings": {"show_online_status": "nobody"}})
    assert (await host.lobby.view(8, [7]))[0].status == "offline"


async def test_presence_is_that_of_here_and_of_whatsapp(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json={**WHOLE, "privacy_settings": {"show_online_status": "nobody"}})
    nothing = {"user_id": 7, "status": "offline", "last_seen": None, "is_online": False, "v": 0, "whatsapp": None}
    assert (await api.get(f"{USERS}/7/presence")).json() == nothing
    host.tracked[ANNA] = Presence(jid=Jid(ANNA), name="Anna", account="default", status=Status.ONLINE, heard=START)
    await host.lobby.enter(7, "phone")
    await host.lobby.choose(7, Choice.AWAY)
    answer = (await api.get(f"{USERS}/7/presence")).json()
    whatsapp = answer.pop("whatsapp")
    here = {"user_id": 7, "status": "away", "last_seen": "2027-01-15T08:00:00Z", "is_online": True, "v": V}
    assert answer == here
    assert (whatsapp["jid"], whatsapp["is_online"], whatsapp["observed"]) == (ANNA, True, True)
    assert (await api.get("/api/users/stats")).json() == {"active_users_count": 1}


async def test_presence_can_be_asked_as_a_user(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json=WHOLE | {"privacy_settings": {"show_last_seen": "nobody"}})
    await api.put(f"{USERS}/7/contacts", json={"contacts": [8]})
    await host.lobby.enter(7, "phone")
    told = [(await api.get(f"{USERS}/{user}/presence?as={asker}")).json() for user, asker in ((7, 8), (7, 9), (99, 8))]
    assert [(each["status"], each["last_seen"], each["whatsapp"]) for each in told] == [
        ("online", None, None),
        ("offline", None, None),
        ("offline", None, None),
    ]
    assert told[1] == told[2] | {"user_id": 7}  # hidden looks the same as unknown
    assert (await api.get(f"{USERS}/7/presence?as=two words")).status_code == 422


async def test_the_presence_of_many_comes_in_the_order_asked(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json={"privacy_settings": {"show_last_seen": "nobody"}})
    await api.put(f"{USERS}/7/contacts", json={"contacts": [8]})
    await host.lobby.enter(7, "phone")
    await host.clock.settle()
    for asker, expected in (("", "online"), ("&as=8", "online"), ("&as=9", "offline")):
        found = (await api.get(f"{USERS}/presence?user=99&user=7&user=anna{asker}")).json()
        assert [(each["user_id"], each["status"]) for each in found] == [
            (99, "offline"),
            (7, expected),
            ("anna", "offline"),
        ]
        assert (found[1]["last_seen"] is None) is bool(asker)
    for query in ("", "?user=two words", "?user=1&as=two words", "?" + "&".join(["user=1"] * 501)):
        assert (await api.get(f"{USERS}/presence{query}")).status_code == 422


async def test_somebody_of_the_hosts_own_directory_has_a_presence(host: Host, api: httpx.AsyncClient) -> None:
    await host.lobby.enter(7, "phone")
    assert (await api.get(f"{USERS}/7/presence")).json()["status"] == "online"
    assert (await api.get(f"{USERS}/7")).status_code == 404


async def test_a_removed_user_is_forgotten(host: Host, api: httpx.AsyncClient) -> None:
    await api.put(f"{USERS}/7", json=WHOLE)
    await api.put(f"{USERS}/7/contacts", json={"contacts": [8]})
    answer = await api.delete(f"{USERS}/7")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.get(USERS)).json() == {"users": [], "next": None}
    assert await host.kept.contacts(8) == set()


async def test_grants_come_and_go_for_users_who_are_kept_and_others(host: Host, api: httpx.AsyncClient) -> None:
    grants = f"{USERS}/7/grants"
    assert (await api.get(grants)).json() == {"contacts": []}
    for contacts in ([ANNA], ["+1 555 010 0043", ANNA]):
        assert (await api.put(grants, json={"contacts": contacts})).status_code == 204
    assert (await api.get(grants)).json() == {"contacts": ["15550100043@s.whatsapp.net", ANNA]}
    assert (await api.delete(f"{grants}?contact=15550100043")).status_code == 204
    assert await host.kept.granted(7) == {ANNA}
    await api.put(f"{USERS}/7", json={})
    await api.delete(f"{USERS}/7")
    assert (await api.get(grants)).json() == {"contacts": []}


@pytest.mark.parametrize("contacts", [[], None, "x", ["x"], [7], ["120363400902171371@g.us"], [ANNA] * 1001], ids=str)
async def test_grants_of_what_is_no_contact_are_refused(contacts: object, host: Host, api: httpx.AsyncClient) -> None:
    assert (await api.put(f"{USERS}/7/grants", json={"contacts": contacts})).status_code == 422
    assert await host.kept.granted(7) == set()
    assert (await api.delete(f"{USERS}/7/grants?contact=x")).status_code == 422
