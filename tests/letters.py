# SPDX-License-Identifier: Apache-2.0
"""Dead letters in memory, for the doors that show them: they note what they are asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wigwag.app.ports import DeadLetters
from wigwag.domain.deadletters import DeadLetter
from wigwag.domain.errors import NotFound

LETTER = DeadLetter(
    id="a",
    reason="text_too_long",
    detail="too long",
    queue="whatsapp.queue",
    at=1_800_000_000.0,
    size=2,
    body=b"hi",
)


@dataclass
class Letters:
    """Fulfils `DeadLetters`."""

    kept: list[DeadLetter] = field(default_factory=lambda: [LETTER])
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def list(self, limit: int, reason: str | None = None) -> Sequence[DeadLetter]:
        self.asked.append(("list", limit, reason))
        return self.kept

    async def get(self, letter_id: str) -> DeadLetter:
        for letter in self.kept:
            if letter.id == letter_id:
                return letter
        raise NotFound("There is no such dead letter.")

    async def replay(self, letter_id: str) -> None:
        self.asked.append(("replay", (await self.get(letter_id)).id))

    async def drop(self, letter_id: str) -> None:
        self.asked.append(("drop", (await self.get(letter_id)).id))

    async def replay_all(self, reason: str | None = None) -> int:
        self.asked.append(("replay_all", reason))
        return len(self.kept)

    async def drop_all(self, reason: str | None = None) -> int:
        self.asked.append(("drop_all", reason))
        return len(self.kept)


if TYPE_CHECKING:
    _: type[DeadLetters] = Letters
