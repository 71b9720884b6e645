# SPDX-License-Identifier: Apache-2.0
"""/api/chats: what was said, in pages; and files from strangers, which never become a page of ours."""

from typing import Any

import httpx
import pytest

from tests.desk import ANNA, START, Desk
from wigwag.domain.messages import Message, MessageKind

CHAT = f"/api/chats/{ANNA}/messages"


def message(number: int = 1, **more: Any) -> Message:
    values: dict[str, Any] = {
        "account": "default", "chat": ANNA, "id": f"3EB{number}", "sender": ANNA, "from_me": False,
        "kind": MessageKind.TEXT, "at": START + number,
    }  # fmt: skip
    return Message(**values | more)


BARE = {
    "id": "3EB1",
    "account": "default",
    "chat": ANNA,
    "sender": ANNA,
    "from_me": False,
    "name": None,
    "type": "text",
    "at": "2027-01-15T08:00:01Z",
    "text": None,
    "target": None,
    "quoted": None,
    "mimetype": None,
    "size": None,
    "media": None,
    "job": None,
    "edited_at": None,
    "deleted_at": None,
}
FILE = f"{CHAT}/3EB1/media?account=default"


@pytest.mark.parametrize(
    ("has", "shown"),
    [
        ({}, {}),
        ({"text": "Hi", "name": "Anna"}, {"text": "Hi", "name": "Anna"}),
        (
            {"kind": MessageKind.REACTION, "target": "3EB0", "text": "👍"},
            {"type": "reaction", "target": "3EB0", "text": "👍"},
        ),
        ({"quoted": "3EB0", "job": "job1", "from_me": True}, {"quoted": "3EB0", "job": "job1", "from_me": True}),
        (
            {"kind": MessageKind.IMAGE, "raw": b"keys", "mimetype": "image/jpeg", "size": 5},
            {"type": "image", "media": FILE, "mimetype": "image/jpeg", "size": 5},
        ),
        ({"kind": MessageKind.IMAGE, "media": "abc"}, {"type": "image", "media": FILE}),
        (
            {"edited": START, "deleted": START},
            {"edited_at": "2027-01-15T08:00:00Z", "deleted_at": "2027-01-15T08:00:00Z"},
        ),
    ],
    ids="-".join,
)
async def test_a_message_is_shown_whole_but_for_its_keys(
    has: dict[str, Any], shown: dict[str, Any], door: httpx.AsyncClient, desk: Desk
) -> None:
    desk.said = [message(**has)]
    answer = await door.get(CHAT)
    assert answer.json() == {"messages": [BARE | shown], "next": None}
    assert "keys" not in answer.text


async def test_a_chat_is_read_back_in_pages(door: httpx.AsyncClient, desk: Desk) -> None:
    desk.said = [message(number, at=START + number // 4 / 3) for number in (5, 4, 3, 2, 1)]
    seen, query = [], "?limit=2"
    for _ in range(3):
        page = (await door.get(CHAT + query)).json()
        seen.append([each["id"] for each in page["messages"]])
        query = f"?limit=2&before={page['next']}"
    assert (seen, page["next"]) == ([["3EB5", "3EB4"], ["3EB3", "3EB2"], ["3EB1"]], None)


@pytest.mark.parametrize("before", ["1800000003", "2027-01-15T08:00:03Z", "2027-01-15T13:30:03%2B05:30"])
async def test_a_chat_is_read_from_any_time(before: str, door: httpx.AsyncClient, desk: Desk) -> None:
    desk.said = [message(number) for number in (4, 3, 2)]
    page = (await door.get(f"{CHAT}?before={before}&account=sales")).json()
    assert [each["id"] for each in page["messages"]] == ["3EB2"]
    assert desk.asked == [(ANNA, "sales", 51, (START + 3, ""))]


@pytest.mark.parametrize(
    "before", ["soon", "1.5~", "~3EB0", "1.5~a b", "1.5~é", "1.5~a%00", "nan~3EB0", "2027-01-15T08:00:03"]
)
async def test_what_is_neither_a_time_nor_the_end_of_a_page_is_refused(
    before: str, door: httpx.AsyncClient, desk: Desk
) -> None:
    answer = await door.get(f"{CHAT}?before={before}")
    assert (answer.status_code, answer.json()["code"], desk.asked) == (422, "invalid_request", [])


@pytest.mark.parametrize(
    ("told", "content_type", "name"),
    [
        ("image/jpeg", "image/jpeg", "3EB1.jpg"),
        ("audio/ogg; codecs=opus", "audio/ogg", "3EB1"),
        ("application/pdf", "application/pdf", "3EB1.pdf"),
        ("", "application/octet-stream", "3EB1"),
        ("text/html\r\nSet-Cookie: a=b", "application/octet-stream", "3EB1"),
        ("é/x", "application/octet-stream", "3EB1"),
    ],
)
async def test_a_file_is_a_download_of_its_type(
    told: str, content_type: str, name: str, door: httpx.AsyncClient, desk: Desk
) -> None:
    desk.file = b"\x00bytes\xff", told
    answer = await door.get(f"{CHAT}/3EB1/media?account=sales")
    assert (answer.status_code, answer.content) == (200, desk.file[0])
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert "set-cookie" not in answer.headers
    assert desk.asked == [(ANNA, "3EB1", "sales")]


async def test_a_file_of_html_does_not_run_here(door: httpx.AsyncClient, desk: Desk) -> None:
    desk.file = b"<script>", "text/html"
    answer = await door.get(f'{CHAT}/3E"B%0A1/media')
    assert answer.headers["content-disposition"] == 'attachment; filename="3E_B_1.html"'


async def test_a_message_is_marked_as_read(door: httpx.AsyncClient, desk: Desk) -> None:
    answer = await door.post(f"{CHAT}/3EB1/read")
    assert (answer.status_code, answer.content, desk.asked) == (204, b"", [(ANNA, "3EB1", None)])
