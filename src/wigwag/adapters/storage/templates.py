# SPDX-License-Identifier: Apache-2.0
"""Texts under names, in SQL: the table `templates`. What a placeholder is, the domain knows."""

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from wigwag.adapters.storage.engine import Database, put_rows
from wigwag.adapters.storage.schema_messages import templates
from wigwag.app.ports import TemplateStore


class SqlTemplateStore:
    """The port TemplateStore on a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def templates(self) -> dict[str, str]:
        async with self._database.reading() as connection:
            found = (await connection.execute(select(templates).order_by(templates.c.name))).all()
        return {name: body for name, body in found}  # noqa: C416 - rows are no pairs to mypy

    async def template(self, name: str) -> str | None:
        async with self._database.reading() as connection:
            body: str | None = await connection.scalar(select(templates.c.body).where(templates.c.name == name))
        return body

    async def put_template(self, name: str, text: str) -> None:
        async with self._database.writing() as connection:
            await connection.run_sync(put_rows, templates, [{"name": name, "body": text}])

    async def remove_template(self, name: str) -> bool:
        async with self._database.writing() as connection:
            removed = await connection.execute(delete(templates).where(templates.c.name == name))
        return removed.rowcount > 0


if TYPE_CHECKING:
    _: type[TemplateStore] = SqlTemplateStore
