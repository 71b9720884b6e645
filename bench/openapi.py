# SPDX-License-Identifier: Apache-2.0
"""Try everything that the API's description allows and forbids, by chance and for long: memory, SQLite, without a key.

python bench/openapi.py [examples of each kind]
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.rest.fuzz import KEY, Found, examine, served
from tests.rest.test_access import FOR_ANYBODY

EXAMPLES = 50


def tried(what: str, found: Found, seconds: float) -> bool:
    asked, statuses = sum(found.statuses.values()), sorted({status for _, status in found.statuses})
    print(f"{what}: {asked:,} requests in {seconds:.0f} s, answers {statuses}, {len(found.wrong)} wrong")
    for each in found.wrong:
        print(f"  {each}")
    return not found.wrong


def main(examples: int) -> bool:
    kept = True
    with tempfile.TemporaryDirectory() as home:
        for what, database, key in (
            ("memory", None, KEY),
            ("SQLite", f"sqlite:///{home}/wigwag.db", KEY),
            ("without a key", None, ""),
        ):
            began = time.perf_counter()
            with served(database) as url:
                found = examine(url, examples=examples, key=key, derandomize=False)
            if not key:
                open_ = {name for name, status in found.statuses if status not in (401, 429)} - set(FOR_ANYBODY)
                found.wrong += [f"{name} answers without a key" for name in sorted(open_)]
            kept &= tried(what, found, time.perf_counter() - began)
    return kept


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES) else 1)
