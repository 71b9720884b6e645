# SPDX-License-Identifier: Apache-2.0
"""One fact, many sinks. What happens when something happened is a list that `compose` writes down.

A sink that is called here must not block: it counts, appends, or puts into a bounded queue of its own.
"""

from collections import Counter
from collections.abc import Callable

from wigwag.domain.events import Fact

Sink = Callable[[Fact], None]


class Fanout:
    """Announces facts to all sinks, in order. A sink that fails harms no other sink and not the announcer.

    Args:
        on_error: told the failing sink's name and its exception; it must not raise.
    """

    def __init__(self, on_error: Callable[[str, Exception], None]) -> None:
        self._sinks: list[tuple[str, Sink]] = []
        self._on_error = on_error
        self.failures: Counter[str] = Counter()  # facts that a sink failed to take

    def add(self, name: str, sink: Sink) -> None:
        self.failures[name] = 0
        self._sinks.append((name, sink))

    def announce(self, fact: Fact) -> None:
        for name, sink in self._sinks:
            try:
                sink(fact)
            except Exception as error:  # noqa: BLE001  a broken sink must not stop the others
                self.failures[name] += 1
                self._on_error(name, error)
