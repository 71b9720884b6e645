# SPDX-License-Identifier: Apache-2.0
"""Accounts and choices in memory. It keeps the same promises as a database, except to outlive the process."""

from dataclasses import replace
from typing import TYPE_CHECKING

from wigwag.app.ports import AccountStore
from wigwag.domain.account import Account
from wigwag.domain.texts import kept_text


class MemoryAccountStore:
    """The port AccountStore in memory."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._choices: dict[str, str] = {}

    async def load(self) -> list[Account]:
        return [self._accounts[name] for name in sorted(self._accounts)]

    async def put(self, account: Account) -> None:
        self._accounts[account.name] = replace(account, detail=kept_text(account.detail))

    async def remove(self, name: str) -> None:
        self._accounts.pop(name, None)

    async def choices(self) -> dict[str, str]:
        return dict(self._choices)

    async def choose(self, key: str, value: str) -> None:
        self._choices[key] = value


if TYPE_CHECKING:
    _: type[AccountStore] = MemoryAccountStore
