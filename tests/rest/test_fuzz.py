# SPDX-License-Identifier: Apache-2.0
"""The API keeps its description, whatever it is sent: no 5xx, no other shape, nothing without a key."""

from pathlib import Path

import pytest

from tests.rest.fuzz import ENDLESS, examine, served
from tests.rest.test_access import FOR_ANYBODY, described


@pytest.mark.parametrize("database", [None, "sqlite"])
def test_every_operation_keeps_the_description(database: str | None, tmp_path: Path) -> None:
    with served(database and f"sqlite:///{tmp_path}/wigwag.db") as url:
        found = examine(url, examples=1)
    assert found.wrong == []
    assert {name for name, _ in found.statuses} == {name for name, _, _ in described()} - ENDLESS


def test_nothing_is_done_without_a_key() -> None:
    with served() as url:
        found = examine(url, examples=1, key="")
    assert {name for name, status in found.statuses if status not in (401, 429)} <= set(FOR_ANYBODY)
