# SPDX-License-Identifier: Apache-2.0
"""The token dictionaries of the binary XML: short codes for the words that stanzas are made of.

A client says in its first bytes which version it speaks; the server answers in the same. The lists are data, in
`tokens.json`, and facts of the protocol.
"""

import json
from dataclasses import dataclass, field
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Dictionary:
    """`single` tokens take one byte, `double` ones a page and a byte; the other two fields are their inverse."""

    single: list[str]
    double: list[list[str]]
    single_at: dict[str, int] = field(init=False)
    double_at: dict[str, tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        single_at = {token: at for at, token in enumerate(self.single) if token}
        double_at = {token: (page, at) for page, tokens in enumerate(self.double) for at, token in enumerate(tokens)}
        object.__setattr__(self, "single_at", single_at)
        object.__setattr__(self, "double_at", double_at)


def _load() -> dict[int, Dictionary]:
    text = (files("wigwag.simulator") / "tokens.json").read_text(encoding="utf-8")
    return {int(version): Dictionary(**lists) for version, lists in json.loads(text).items()}


DICTIONARIES = _load()
LATEST = DICTIONARIES[max(DICTIONARIES)]
