# SPDX-License-Identifier: Apache-2.0
"""The gate: calls share it, a change has it alone, and nobody starves."""

import asyncio

from wigwag.adapters.whatsapp.gate import Gate


async def test_calls_pass_together_and_a_change_waits_for_all_of_them() -> None:
    gate, story, leave = Gate(), list[str](), asyncio.Event()

    async def call(name: str) -> None:
        async with gate.shared():
            story.append(f"{name} in")
            await leave.wait()
            story.append(f"{name} out")

    async def change() -> None:
        async with gate.alone():
            story.append("change")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(call("one"))
        tasks.create_task(call("two"))
        await asyncio.sleep(0)
        tasks.create_task(change())
        await asyncio.sleep(0)
        tasks.create_task(call("three"))  # comes after the change, so it waits behind it
        for _turn in range(5):
            await asyncio.sleep(0)
        assert story == ["one in", "two in"]
        leave.set()
    assert story == ["one in", "two in", "one out", "two out", "change", "three in", "three out"]


async def test_a_call_that_is_cancelled_or_fails_leaves_the_gate() -> None:
    gate, forever = Gate(), asyncio.Event()

    async def call() -> None:
        async with gate.shared():
            await forever.wait()

    task = asyncio.create_task(call())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), gate.alone():
        pass
