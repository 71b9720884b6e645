# SPDX-License-Identifier: Apache-2.0
"""`track` and `untrack`: what is asked of the gateway, and how a long run is told."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.conftest import Command, House
from wigwag.cli.client import Client
from wigwag.cli.contacts_file import Priority, read_contacts
from wigwag.cli.outcome import Failure
from wigwag.cli.progress import Run, follow, see, time_for
from wigwag.domain.errors import Refused
from wigwag.domain.ids import Jid, contact_jid
from wigwag.domain.pacing import Pace
from wigwag.domain.subscriptions import Plan
from wigwag.domain.watchlist import HIGH, LOW, MEDIUM

ANNA, BERT, CARL = (Jid(f"1555010000{digit}@s.whatsapp.net") for digit in "123")
GROUP = Jid("120363400000000001@g.us")


def _tracked(house: House) -> dict[str, tuple[str, int]]:
    gateway = house.trial.core.gateway
    return {each.jid: (gateway.presence(each.jid).name, each.priority) for each in gateway.subscriptions()}


def test_a_number_with_name_and_priority(paired: House, wigwag: Command) -> None:
    result = wigwag("track", "+1 (555) 010-0001", "--name", "Anna", "--priority", "high", WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout) == (0, "Tracking 1 contact.\n")
    assert _tracked(paired) == {ANNA: ("Anna", HIGH)}


def test_a_file_with_its_own_priorities(paired: House, wigwag: Command, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text('\ufeffname,phone,priority\nAnna,15550100001,high\n\n"Bert, Jr.",+15550100002,\n', encoding="utf-8")
    result = wigwag("track", "15550100003", "--file", str(file), "--priority", "low", WIGWAG_URL=paired.url)
    assert (result.exit_code, result.stdout) == (0, "Tracking 3 contacts.\n")
    assert _tracked(paired) == {ANNA: ("Anna", HIGH), BERT: ("Bert, Jr.", LOW), CARL: ("+15550100003", LOW)}


def test_a_group_and_its_end(paired: House, wigwag: Command) -> None:
    paired.trial.whatsapp.rooms[GROUP] = {ANNA: "Anna", BERT: ""}
    assert wigwag("track", "--group", GROUP, WIGWAG_URL=paired.url).stdout == "Tracking 1 group.\n"
    paired.pass_time(1)
    assert _tracked(paired) == {ANNA: ("Anna", MEDIUM), BERT: ("+15550100002", MEDIUM)}
    assert f"{GROUP}  a group  yes" in wigwag("groups", WIGWAG_URL=paired.url).stdout
    assert wigwag("untrack", GROUP, WIGWAG_URL=paired.url).exit_code == 0
    assert _tracked(paired) == {}


def test_untrack_does_what_it_can_and_names_the_rest(paired: House, wigwag: Command) -> None:
    wigwag("track", "15550100001", "15550100002", WIGWAG_URL=paired.url)
    result = wigwag("untrack", "15550100001", "15550100003", "15550100002", WIGWAG_URL=paired.url)
    assert (result.exit_code, _tracked(paired)) == (4, {})
    assert "15550100003: " in result.stderr
    assert "1 of 3 could not be untracked" in result.stderr


def test_erase_asks_first_and_needs_a_yes_where_nobody_can_answer(paired: House, wigwag: Command) -> None:
    wigwag("track", "15550100001", WIGWAG_URL=paired.url)
    refused = wigwag("erase", "15550100001", WIGWAG_URL=paired.url)
    assert (refused.exit_code, list(_tracked(paired))) == (1, [ANNA])
    assert "--yes" in refused.stderr
    assert wigwag("erase", "15550100001", "--yes", WIGWAG_URL=paired.url).exit_code == 0
    assert _tracked(paired) == {}


def test_a_file_finds_all_its_mistakes_at_once_and_tracks_nobody() -> None:
    lines = ["15550100001,Anna,high", "12,short", "15550100002,Bert,urgent", ",nobody"]
    with pytest.raises(Failure) as caught:
        read_contacts(lines, Priority.MEDIUM)
    assert [line[:9] for line in str(caught.value).splitlines()[1:]] == ["  line 2:", "  line 3:", "  line 4:"]


@given(
    st.lists(
        st.tuples(
            st.integers(10**9, 10**14), st.text(st.characters(exclude_categories=["C", "Z"])), st.sampled_from(Priority)
        )
    )
)
def test_whatever_a_spreadsheet_writes_is_read_back(people: list[tuple[int, str, Priority]]) -> None:
    lines = [f'{phone},"{name.replace(chr(34), chr(34) * 2)}",{priority}' for phone, name, priority in people]
    wishes = read_contacts(lines, Priority.MEDIUM)
    assert [(int(wish.phone), wish.name, wish.priority) for wish in wishes] == people


@given(
    contacts=st.integers(1, 120),
    pace=st.builds(Pace, batch=st.integers(1, 30), gap=st.floats(0, 5), rest=st.floats(0.1, 60)),
)
def test_the_time_that_is_promised_is_the_time_that_the_plan_takes(contacts: int, pace: Pace) -> None:
    plan, now = Plan(pace), 0.0
    for number in range(contacts):
        plan.want(contact_jid(str(15550100000 + number)), MEDIUM)
    plan.link_up(0.0)
    for _ in range(contacts):
        wake = plan.next_wake()
        assert wake is not None
        now = max(now, wake)
        taken = plan.take(now)
        assert taken is not None
        plan.hear(taken)
    promised = time_for(contacts, batch=pace.batch, gap=pace.gap, rest=pace.rest)
    assert now + pace.gap == pytest.approx(promised, abs=0.01)


def test_a_run_is_followed_to_its_end_and_the_rest_grows_shorter(paired: House, wigwag: Command) -> None:
    numbers = [str(15550100100 + number) for number in range(50)]
    wigwag("track", *numbers, WIGWAG_URL=paired.url)
    runs: list[Run] = []
    with Client(paired.url) as gateway:

        def look() -> Run:
            runs.append(see(gateway, {contact_jid(number) for number in numbers}))
            return runs[-1]

        end = follow(look, pause=lambda: paired.pass_time(1))
    assert (end.done, end.active, end.total) == (True, 50, 50)
    left = [run.seconds for run in runs]
    assert left == sorted(left, reverse=True)
    assert left[0] == pytest.approx(time_for(50, batch=20, gap=0.2, rest=5), abs=0.5)
    assert 18 <= len(runs) <= 24  # one look a second: 2 batches of 9 s and 2 s for the last ten


def test_wait_ends_with_1_when_some_failed(paired: House, wigwag: Command) -> None:
    wigwag("track", "15550100002", WIGWAG_URL=paired.url)
    paired.pass_time(1)
    paired.trial.whatsapp.refusal = Refused()
    wigwag("track", "15550100001", WIGWAG_URL=paired.url)
    paired.pass_time(1)
    result = wigwag("track", "15550100001", "--wait", WIGWAG_URL=paired.url)
    assert result.exit_code == 1
    assert "1 of 1 failed; the gateway tries them again by itself." in result.stderr


def test_progress_says_why_nothing_moves(house: House) -> None:
    house.do(lambda trial: trial.core.gateway.track([("15550100001", "")]))
    with Client(house.url) as gateway:
        run = see(gateway, None)
    assert run.words == f"0 of 1 active, 1 queued; 133 a minute, about 0 s to go. {run.trouble}"
    assert run.trouble
