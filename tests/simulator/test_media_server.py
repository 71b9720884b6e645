# SPDX-License-Identifier: Apache-2.0
"""The media server over HTTPS: who may upload what, what is answered to a download, and how it fails on request."""

import asyncio
import base64
import hashlib
import ssl
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.simulator.client import Client
from tests.simulator.conftest import ALICE, Clock
from wigwag.simulator import ACCOUNT_PHONE, Simulator, e2e
from wigwag.simulator.media import seal, wrap
from wigwag.simulator.media_store import LIFETIME
from wigwag.simulator.wire import Jid, Node

LINE: dict[str, Any] = {
    "account": ACCOUNT_PHONE,
    "device": 1,
    "phone": ALICE,
    "jid": str(Jid(ALICE)),
    "group": None,
    "text": None,
    "quoted": None,
    "mentions": (),
    "raw": "",
}
FILE = b"an encrypted file, for all the server knows"


def token(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode()


@pytest.fixture
async def https(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    trusting = ssl.create_default_context(cadata=sim.certificate)
    async with httpx.AsyncClient(base_url=f"https://{sim.exchange.media.host}", verify=trusting) as client:
        yield client


@pytest.fixture
async def http(sim: Simulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"{sim.url}/sim") as client:
        yield client


@pytest.fixture
async def auth(online: Client) -> str:
    """What a client is told when it asks where to bring its files."""
    answer = (await online.query("w:m", "set", Node("media_conn"))).children[0]
    assert [host.text("hostname") for host in answer.children] == [online.simulator.exchange.media.host]
    assert int(answer.text("ttl")) < int(answer.text("auth_ttl"))
    return answer.text("auth")


async def upload(https: httpx.AsyncClient, auth: str, data: bytes = FILE, **changes: Any) -> httpx.Response:
    request = {"kind": "image", "path": token(data), "token": token(data), "headers": None, **changes}
    query = {"auth": auth, "token": request["token"]}
    url = f"/mms/{request['kind']}/{request['path']}"
    return await https.post(url, params=query, content=data, headers=request["headers"])


async def held(sim: Simulator, request: Coroutine[Any, Any, httpx.Response]) -> "asyncio.Task[httpx.Response]":
    """The request, once the first fault has struck it."""
    task = asyncio.create_task(request, name="held")
    async with asyncio.timeout(10):
        while sim.exchange.faults.active[0].left:  # noqa: ASYNC110 - a fault has no bell
            await asyncio.sleep(0)
    return task


async def test_what_was_uploaded_can_be_downloaded_by_anybody_who_knows_its_path(
    sim: Simulator, https: httpx.AsyncClient, auth: str
) -> None:
    answer = (await upload(https, auth)).json()
    assert answer.keys() == {"url", "direct_path", "handle"}
    assert answer["url"].startswith(f"https://{sim.exchange.media.host}{answer['direct_path']}")
    as_whatsmeow = await https.get(f"{answer['direct_path']}&hash={token(FILE)}&mms-type=image&__wa-mms=")
    assert (as_whatsmeow.status_code, as_whatsmeow.content) == (200, FILE)
    assert (await https.get(answer["url"])).content == FILE
    log = [entry for entry in sim.journal.log if entry.event in ("upload", "download")]
    assert [(entry.event, entry.account) for entry in log[:2]] == [("upload", ACCOUNT_PHONE), ("download", "")]
    assert log[0].detail == {"kind": "image", "size": len(FILE)}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_client_trusts_it_by_its_certificate_and_not_without(host: str) -> None:
    async with Simulator(host=host) as sim:
        address = f"https://{sim.exchange.media.host}/nothing"
        async with httpx.AsyncClient(verify=ssl.create_default_context(cadata=sim.certificate)) as trusting:
            assert (await trusting.get(address)).status_code == 404
        async with httpx.AsyncClient(verify=ssl.create_default_context()) as doubting:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await doubting.get(address)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"path": token(b"another")}, 400, id="the path has the hash of another file"),
        pytest.param({"token": token(b"another")}, 400, id="the token is the hash of another file"),
        pytest.param({"data": b""}, 400, id="an empty file"),
        pytest.param({"kind": "dance"}, 404, id="an unknown kind"),
        pytest.param({"headers": {"content-type": "image/png"}}, 415, id="a type that shows what is inside"),
        pytest.param({"data": b"x" * 101}, 413, id="too large"),
    ],
)
async def test_an_upload_that_no_client_would_make_is_refused(
    sim: Simulator, https: httpx.AsyncClient, auth: str, changes: dict[str, Any], status: int
) -> None:
    sim.exchange.media.largest = 100
    assert (await upload(https, auth, **changes)).status_code == status
    assert [entry.detail["status"] for entry in sim.journal.log if entry.event == "refused"] == [status]
    assert sim.exchange.media.size == 0


async def test_the_largest_file_and_a_token_without_padding_are_accepted(
    sim: Simulator, https: httpx.AsyncClient, auth: str
) -> None:
    sim.exchange.media.largest = len(FILE)
    bare = token(FILE).rstrip("=")
    headers = {"content-type": "application/octet-stream"}
    assert (await upload(https, auth, path=bare, token=bare, headers=headers)).status_code == 200


async def test_nobody_uploads_without_the_token_of_a_linked_device(
    sim: Simulator, https: httpx.AsyncClient, auth: str
) -> None:
    assert (await upload(https, "")).status_code == 401
    assert (await upload(https, auth + "x")).status_code == 401
    await sim.inject("logged_out")
    assert (await upload(https, auth)).status_code == 401


async def test_unknown_media_are_not_found_and_old_ones_are_gone(
    https: httpx.AsyncClient, auth: str, clock: Clock
) -> None:
    assert (await https.get("/v/nothing.enc?ccb=11-4&oe=1")).status_code == 404
    path = (await upload(https, auth)).json()["direct_path"]
    clock.advance(LIFETIME)
    assert (await https.get(path)).status_code == 410


@pytest.mark.parametrize(("given", "status"), [({}, 500), ({"code": 507}, 507)])
async def test_the_fault_refuse_answers_an_error_as_often_as_it_is_told(
    http: httpx.AsyncClient, https: httpx.AsyncClient, auth: str, given: dict[str, int], status: int
) -> None:
    await http.post("/faults", json={"kind": "media_refuse", "count": 2, "account": ACCOUNT_PHONE, **given})
    answers = [(await upload(https, auth)).status_code for _ in range(3)]
    assert answers == [status, status, 200]
    await http.post("/faults", json={"kind": "media_refuse", "account": ACCOUNT_PHONE})
    assert (await https.get("/v/nothing.enc")).status_code == 404  # nobody knows who downloads


@pytest.mark.parametrize(
    ("kind", "answer"),
    [("media_refuse", (500, b"")), ("media_expired", (410, b"")), ("media_truncated", (200, FILE[: len(FILE) // 2]))],
)
async def test_a_fault_of_downloads_strikes_and_is_over(
    sim: Simulator, https: httpx.AsyncClient, auth: str, kind: str, answer: tuple[int, bytes]
) -> None:
    path = (await upload(https, auth)).json()["direct_path"]
    await sim.inject(kind, count=1)
    response = await https.get(path)
    assert (response.status_code, response.content) == answer
    assert (await https.get(path)).content == FILE


async def test_the_fault_slow_holds_a_request_for_the_time_of_the_simulated_clock(
    sim: Simulator, https: httpx.AsyncClient, auth: str, clock: Clock
) -> None:
    await sim.inject("media_slow", count=1, delay=3600)
    uploading = await held(sim, upload(https, auth))
    assert not uploading.done()
    assert sim.exchange.media.size == 0
    clock.advance(3600)
    assert (await uploading).status_code == 200


async def test_a_simulator_that_ends_holds_nobody() -> None:
    async with AsyncExitStack() as stack:
        async with Simulator() as sim:
            trusting = ssl.create_default_context(cadata=sim.certificate)
            address = f"https://{sim.exchange.media.host}"
            https = await stack.enter_async_context(httpx.AsyncClient(base_url=address, verify=trusting))
            await sim.inject("media_slow", count=1, delay=3600)
            downloading = await held(sim, https.get("/v/nothing.enc"))
        with pytest.raises(httpx.RemoteProtocolError):
            await downloading


async def test_a_simulated_person_sends_a_file_that_its_message_leads_to(
    http: httpx.AsyncClient, https: httpx.AsyncClient, online: Client
) -> None:
    file = base64.b64encode(b"a letter").decode()
    body = {"kind": "document", "text": "read this", "fields": {"mimetype": "text/plain"}, "file": file}
    message_id = (await http.post(f"/contacts/{ALICE}/messages", json=body)).json()["id"]
    said = online.read(await online.expect("message", id=message_id))["document"]
    sealed = (await https.get(said["direct_path"])).content
    assert sealed == (await https.get(said["url"])).content
    assert sealed == seal("document", said["media_key"], b"a letter")
    assert (said["caption"], said["mimetype"], said["length"]) == ("read this", "text/plain", 8)
    assert said["enc_sha256"] == hashlib.sha256(sealed).digest()
    assert said["sha256"] == hashlib.sha256(b"a letter").digest()


async def test_a_message_that_carries_no_file_cannot_be_given_one(http: httpx.AsyncClient, online: Client) -> None:
    body = {"kind": "location", "file": "AAAA"}
    answer = await http.post(f"/contacts/{ALICE}/messages", json=body)
    assert answer.status_code == 422
    assert "carries no file" in answer.json()["error"]


async def test_the_file_of_a_message_in_the_inbox_is_handed_out_decrypted(
    sim: Simulator, http: httpx.AsyncClient, https: httpx.AsyncClient, online: Client, auth: str
) -> None:
    sealed, fields = wrap("image", b"a picture")
    path = (await upload(https, auth, sealed)).json()["direct_path"]
    keys = {name: base64.b64decode(value) for name, value in fields.items() if isinstance(value, str)}
    image = {**fields, **keys, "direct_path": path, "mimetype": "image/png"}
    await online.send(await online.message(Jid(ALICE), e2e.CONTENT.encode({"image": image}), "M1"))
    await online.settle()
    assert sim.received_media("M1") == b"a picture"
    assert (await http.get("/inbox/M1/media")).content == b"a picture"
    assert (await http.get("/inbox/M2/media")).status_code == 404


@pytest.mark.parametrize(
    ("kind", "changes", "status"),
    [
        pytest.param("video", {}, 422, id="another kind"),
        pytest.param("text", {}, 422, id="a kind without files"),
        pytest.param("image", {"sha256": ""}, 422, id="another hash"),
        pytest.param("image", {"direct_path": ""}, 404, id="no path"),
    ],
)
async def test_the_admin_api_says_why_there_is_no_file(
    sim: Simulator, http: httpx.AsyncClient, kind: str, changes: dict[str, str], status: int
) -> None:
    fields = {**sim.put_media("image", b"a picture"), **changes}
    sim.journal.received(**LINE, id="M1", kind=kind, fields=fields)
    assert (await http.get("/inbox/M1/media")).status_code == status


async def test_a_file_whose_time_is_over_is_gone(sim: Simulator, http: httpx.AsyncClient, clock: Clock) -> None:
    sim.journal.received(**LINE, id="M1", kind="image", fields=sim.put_media("image", b"a picture"))
    assert (await http.get("/inbox/M1/media")).status_code == 200
    clock.advance(LIFETIME)
    assert (await http.get("/inbox/M1/media")).status_code == 410
