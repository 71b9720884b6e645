# SPDX-License-Identifier: Apache-2.0
"""Texts under names, in memory."""

from typing import TYPE_CHECKING

from wigwag.app.ports import TemplateStore


class MemoryTemplateStore:
    """The port TemplateStore in memory."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    async def templates(self) -> dict[str, str]:
        return {name: self._texts[name] for name in sorted(self._texts)}

    async def template(self, name: str) -> str | None:
        return self._texts.get(name)

    async def put_template(self, name: str, text: str) -> None:
        self._texts[name] = text

    async def remove_template(self, name: str) -> bool:
        return self._texts.pop(name, None) is not None


if TYPE_CHECKING:
    _: type[TemplateStore] = MemoryTemplateStore
