# SPDX-License-Identifier: Apache-2.0
"""The law of the port TemplateStore, on every kind of store."""

from tests.contract.making import ODD_TEXTS
from wigwag.app.ports import TemplateStore


async def test_a_new_store_has_no_templates(templates: TemplateStore) -> None:
    assert await templates.templates() == {}
    assert await templates.template("welcome") is None
    assert await templates.remove_template("welcome") is False


async def test_texts_come_back_to_the_last_letter(templates: TemplateStore) -> None:
    kept = {f"name {number}": text for number, text in enumerate([*ODD_TEXTS, "$${name} ${name}"])}
    for name, text in kept.items():
        await templates.put_template(name, text)
    assert await templates.templates() == kept


async def test_names_are_told_apart_byte_by_byte(templates: TemplateStore) -> None:
    names = ["a", "A", "a ", "á", "🦩" * 255]
    for name in names:
        await templates.put_template(name, f"text of {name}")
    assert {name: await templates.template(name) for name in names} == {name: f"text of {name}" for name in names}


async def test_the_last_text_counts_until_it_is_removed(templates: TemplateStore) -> None:
    await templates.put_template("welcome", "Hello")
    await templates.put_template("welcome", "Hello ${name}")
    assert await templates.template("welcome") == "Hello ${name}"
    assert await templates.remove_template("welcome") is True
    assert await templates.templates() == {}
