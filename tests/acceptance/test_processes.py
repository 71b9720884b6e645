# SPDX-License-Identifier: Apache-2.0
"""The main job as an operator sees it: pair, track, watch, kill, and find everything again."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.processes import Process, pair, wait, wigwag

pytestmark = pytest.mark.chaos

ACCOUNT = "15550001111"
CHOIR = "120363400902171371"
BRISK = {"batch_size": 20, "subscription_delay_seconds": 0.01, "batch_delay_seconds": 0.25}  # the defaults, by 20


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Process]:
    with wigwag("simulate", log=tmp_path / "simulator.log") as running:
        yield running


def contacts(simulator: Process, first: int, count: int, **traits: object) -> list[str]:
    """People who exist in the simulator. Returns their numbers."""
    numbers = [str(15550100000 + first + n) for n in range(count)]
    for number in numbers:
        simulator.put(f"/sim/contacts/{number}", {"name": f"Person {number[-3:]}", **traits})
    return numbers


def serve(simulator: Process, home: Path) -> tuple[str, ...]:
    return ("serve", "--data", str(home / "data"), "--simulator", simulator.url)


def test_a_hundred_contacts_reach_the_wire_most_urgent_first(simulator: Process, tmp_path: Path) -> None:
    low, high, medium = (contacts(simulator, first, count) for first, count in ((0, 40), (40, 30), (70, 30)))
    with wigwag(*serve(simulator, tmp_path), log=tmp_path / "gateway.log") as gateway:
        gateway.put("/api/subscriptions/pace", BRISK)
        for numbers, priority in ((low, 3), (high, 1), (medium, 2)):
            gateway.post("/api/subscriptions", {"contacts": [{"phone": n} for n in numbers], "priority": priority})
        pair(gateway, simulator, ACCOUNT)
        wait(lambda: gateway.get("/api/subscriptions/stats")["active"] == 100, gateway)
        stats = gateway.get("/api/subscriptions/stats")
        assert stats == {"total_subscriptions": 100, "active": 100, "stale": 0, "failed": 0, "queue_length": 0}
    sent = [entry["phone"] for entry in simulator.get("/sim/subscriptions") if entry["action"] == "subscribe"]
    assert sent == [*high, *medium, *low]
    assert "Successfully paired" in (tmp_path / "gateway.log").read_text()
    assert simulator.log.read_text().count("action=subscribe") == 100


def test_killed_and_started_again_it_needs_no_code_and_has_lost_nothing(simulator: Process, tmp_path: Path) -> None:
    anna, carla, dora = company(simulator)
    log = tmp_path / "gateway.log"
    with wigwag(*serve(simulator, tmp_path), log=log) as gateway:
        pair(gateway, simulator, ACCOUNT)
        people = [{"phone": anna, "name": "Anna"}, {"phone": carla, "name": "Carla"}, {"phone": dora, "name": "Dora"}]
        gateway.post("/api/subscriptions", {"contacts": people, "priority": 1})
        gateway.post("/api/subscriptions/groups", {"group": f"{CHOIR}@g.us", "priority": 3})
        wait(lambda: gateway.get("/api/presence/stats")["observed"] == 4, gateway)
        come_and_go(simulator, gateway, [anna, carla, dora], [carla, dora])
        before = {each["name"]: each for each in gateway.get("/api/presence")}
        assert before["Carla"]["jid"] == f"{carla}@s.whatsapp.net"  # never the LID
        assert before["Carla"]["last_seen"] is not None
        assert before["Dora"]["last_seen"] is None  # she hides it
        wait(lambda: _intervals(gateway, anna, "online"), gateway)
        gateway.kill()
    simulator.post(f"/sim/contacts/{anna}/presence", {"online": False})
    with wigwag(*serve(simulator, tmp_path), log=log) as gateway:
        wait(lambda: gateway.get("/api/presence/stats")["observed"] == 4, gateway)
        after = {each["name"]: each for each in gateway.get("/api/presence")}
        assert after.keys() == before.keys()
        assert after["Carla"]["last_seen"] == before["Carla"]["last_seen"]
        assert [each["jid"] for each in gateway.get("/api/subscriptions/groups")] == [f"{CHOIR}@g.us"]
        changes = f'whatsapp_contact_status_changes_total{{jid="{carla}@s.whatsapp.net",name="Carla",status='
        assert f'{changes}"online"}} 1' in gateway.metrics()
        assert_gap(gateway, anna)
        assert gateway.stop() == 0
    assert log.read_text().count("Successfully paired") == 1


def company(simulator: Process) -> tuple[str, str, str]:
    """Anna; Carla, addressed by LID; Dora, who hides her last seen; and Ben, who is in the choir with us."""
    anna, ben = contacts(simulator, 0, 2)
    (carla,) = contacts(simulator, 2, 1, addressed_by_lid=True)
    (dora,) = contacts(simulator, 3, 1, last_seen_visible=False)
    simulator.put(f"/sim/contacts/{ACCOUNT}", {"name": "We"})
    simulator.put(f"/sim/groups/{CHOIR}", {"subject": "Choir", "participants": [ACCOUNT, ben]})
    return anna, carla, dora


def come_and_go(simulator: Process, gateway: Process, come: list[str], go: list[str]) -> None:
    """Some come, some of these go, and the gateway has seen it."""
    for number in come:
        simulator.post(f"/sim/contacts/{number}/presence", {"online": True})
    wait(lambda: gateway.get("/api/presence/stats")["online_count"] == len(come), gateway)
    for number in go:
        simulator.post(f"/sim/contacts/{number}/presence", {"online": False})
    wait(lambda: gateway.get("/api/presence/stats")["online_count"] == len(come) - len(go), gateway)


def assert_gap(gateway: Process, number: str) -> None:
    """The history of somebody who was online when we died, and is offline now: unobserved in between, not offline."""
    first, second = _intervals(gateway, number, "observed")
    assert datetime.fromisoformat(first["to"]) < datetime.fromisoformat(second["from"])
    assert second["to"] is None
    assert [each["to"] for each in _intervals(gateway, number, "online")] == [first["to"]]


def test_no_number_is_written_to_the_gateways_log_in_full(simulator: Process, tmp_path: Path) -> None:
    numbers = contacts(simulator, 0, 3)
    with wigwag(*serve(simulator, tmp_path), log=tmp_path / "gateway.log") as gateway:
        pair(gateway, simulator, ACCOUNT)
        gateway.post("/api/subscriptions", {"contacts": [{"phone": number} for number in numbers]})
        wait(lambda: gateway.get("/api/subscriptions/stats")["active"] == 3, gateway)
        simulator.post(f"/sim/contacts/{numbers[0]}/presence", {"online": True})
        wait(lambda: gateway.get("/api/presence/stats")["online_count"] == 1, gateway)
        simulator.post("/sim/faults", {"kind": "cut"})
        wait(lambda: gateway.get("/api/accounts/default")["reconnects"] == 1, gateway)
        assert gateway.stop() == 0
    log = (tmp_path / "gateway.log").read_text()
    assert "Subscribed to presence for" in log
    assert "Presence update" in log
    assert [number for number in (*numbers, ACCOUNT) if number in log] == []


def test_a_second_gateway_on_the_port_fails_with_advice_and_touches_nothing(simulator: Process, tmp_path: Path) -> None:
    with wigwag(*serve(simulator, tmp_path), log=tmp_path / "gateway.log") as gateway:
        port = int(gateway.url.rpartition(":")[2])
        with (
            pytest.raises(AssertionError, match="choose another"),
            wigwag(*serve(simulator, tmp_path / "other"), log=tmp_path / "second.log", port=port) as second,
        ):
            wait(lambda: second.popen.poll() is None and False, second)
        assert not (tmp_path / "other").exists()


def _intervals(gateway: Process, number: str, kind: str) -> list[dict[str, str]]:
    return list(gateway.get(f"/api/presence/{number}/history")[kind])
