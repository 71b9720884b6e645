# SPDX-License-Identifier: Apache-2.0
"""Wrong envelopes of every kind among good ones with odd properties; `bench/fuzz.py` is the long form."""

from pathlib import Path

import pytest

from tests.acceptance.doors import QueueDoor
from tests.acceptance.flood import documented
from tests.acceptance.kills import world
from tests.acceptance.storm import storm
from tests.acceptance.trouble import settled
from tests.servers import Instance

pytestmark = pytest.mark.slow


def test_all_good_ones_are_read_once_and_all_bad_ones_are_dead_letters_with_a_reason(
    tmp_path: Path, breakable_rabbitmq: Instance
) -> None:
    with world(tmp_path, QueueDoor(breakable_rabbitmq.url, prefetch=50)) as here, here.gateway() as gateway:
        settled(gateway, breakable_rabbitmq)
        after = storm(here, gateway, breakable_rabbitmq.url, good=150, bad=150, huge=3)
        assert gateway.popen.poll() is None
    assert (after.missing, after.doubled, after.unburied, after.foreign) == ([], [], 0, 0), after
    assert set(after.reasons) <= set(documented()) - {"internal_error"}
