# SPDX-License-Identifier: Apache-2.0
"""whatsmeow, as it is, uploads and downloads through the media server, and both ends agree to the byte."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import real_clients
from tests.simulator.conftest import ALICE, received
from tests.simulator.real_clients import Program
from wigwag.simulator import ACCOUNT_PHONE, Content, Simulator

pytestmark = pytest.mark.slow

OTHER = base64.b64encode(b"x" * 32).decode()
FILE = bytes(range(256)) * 400  # more than one record of TLS, and no text


@pytest.fixture
async def world() -> AsyncIterator[Simulator]:
    async with Simulator(latency=0.01) as sim:
        sim.put_contact(ALICE, name="Alice")
        sim.put_contact(ACCOUNT_PHONE, name="Tester")
        yield sim


@pytest.fixture
async def program(world: Simulator, tmp_path: Path) -> AsyncIterator[Program]:
    async with real_clients.whatsmeow(world, tmp_path) as program:
        await world.scan((await program.expect("qr"))["code"])
        await program.expect("connected")
        yield program


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_bytes(FILE)
    return str(path)


def contents(path: str) -> bytes:
    return Path(path).read_bytes()


async def uploaded(program: Program, kind: str, file: str) -> dict[str, Any]:
    await program.do("upload", kind=kind, file=file)
    fields: dict[str, Any] = (await program.expect("uploaded"))["fields"]
    return fields


KINDS = [
    # kind, the field of the message, its own fields, what whatsmeow uploads it as
    pytest.param("image", "imageMessage", {"mimetype": "image/png", "caption": "look"}, "image", id="image"),
    pytest.param("video", "videoMessage", {"mimetype": "video/mp4", "seconds": 3}, "video", id="video"),
    pytest.param("audio", "audioMessage", {"mimetype": "audio/mpeg"}, "audio", id="audio"),
    pytest.param("voice", "audioMessage", {"mimetype": "audio/ogg; codecs=opus", "PTT": True}, "audio", id="voice"),
    pytest.param("document", "documentMessage", {"fileName": "a.pdf"}, "document", id="document"),
    pytest.param("sticker", "stickerMessage", {"mimetype": "image/webp"}, "image", id="sticker"),
]


@pytest.mark.parametrize(("kind", "field", "own", "uploaded_as"), KINDS)
async def test_a_file_goes_to_a_contact_and_one_comes_back(
    world: Simulator, program: Program, file: str, kind: str, field: str, own: dict[str, Any], uploaded_as: str
) -> None:
    facts = await uploaded(program, uploaded_as, file)
    await program.do("say", chat=f"{ALICE}@s.whatsapp.net", content={field: {**facts, **own}})
    sent = await program.expect("sent")
    await received(world, 1)
    assert [(line.id, line.kind) for line in world.journal.inbox] == [(sent["id"], kind)]
    assert world.received_media(sent["id"]) == FILE

    message_id = await world.send(ALICE, Content(kind=kind, fields={"mimetype": "x/y"}), file=FILE[::-1])
    content = (await program.expect("message", id=message_id))["content"]
    assert content.keys() >= {field}
    await program.do("download", content=content, file=file)
    assert (await program.expect("downloaded"))["file"] == file
    assert contents(file) == FILE[::-1]
    assert [entry.detail for entry in world.journal.log if entry.event == "refused"] == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param({"kind": "media_expired"}, "410", id="expired"),
        pytest.param({"kind": "media_refuse"}, "500", id="refused"),
        pytest.param({"kind": "media_truncated"}, "hash of media ciphertext", id="truncated"),
    ],
)
async def test_a_download_that_fails_says_why_and_succeeds_afterwards(
    world: Simulator, program: Program, tmp_path: Path, fault: dict[str, Any], error: str
) -> None:
    fetched = str(tmp_path / "fetched")
    message_id = await world.send(ALICE, Content(kind="image"), file=FILE)
    content = (await program.expect("message", id=message_id))["content"]
    await world.inject(**fault, count=1)
    await program.do("download", content=content, file=fetched)
    assert error in (await program.expect("not_downloaded"))["why"]
    await program.do("download", content=content, file=fetched)
    await program.expect("downloaded")
    assert contents(fetched) == FILE


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        pytest.param({"direct_path": "/v/nothing.enc?ccb=1"}, "404", id="unknown"),
        pytest.param({"sha256": OTHER}, "hash of media plaintext", id="another file than was said"),
        pytest.param({"media_key": OTHER}, "invalid media hmac", id="another key"),
    ],
)
async def test_a_message_that_lies_about_its_file_is_noticed(
    world: Simulator, program: Program, tmp_path: Path, fields: dict[str, str], error: str
) -> None:
    fetched = str(tmp_path / "fetched")
    message_id = await world.send(ALICE, Content(kind="image", fields=fields), file=FILE)
    content = (await program.expect("message", id=message_id))["content"]
    await program.do("download", content=content, file=fetched)
    assert error in (await program.expect("not_downloaded"))["why"]


async def test_an_upload_that_is_refused_says_why_and_succeeds_afterwards(
    world: Simulator, program: Program, file: str
) -> None:
    await world.inject("media_refuse", ACCOUNT_PHONE, count=1, code=507)
    await program.do("upload", kind="document", file=file)
    assert "507" in (await program.expect("not_uploaded"))["why"]
    await uploaded(program, "document", file)


async def test_whatsmeow_uploads_nothing_to_a_server_whose_certificate_it_was_not_given(
    world: Simulator, program: Program, file: str
) -> None:
    async with Simulator() as stranger:
        world.exchange.media.host = stranger.exchange.media.host
        await program.do("upload", kind="document", file=file)
        assert "certificate" in (await program.expect("not_uploaded"))["why"]
        assert stranger.exchange.media.size == 0


async def test_no_variable_of_the_environment_takes_the_trust_away(world: Simulator, tmp_path: Path, file: str) -> None:
    """Many a machine names its own certificates to every program."""
    async with real_clients.whatsmeow(world, tmp_path, SSL_CERT_FILE=file, SSL_CERT_DIR=str(tmp_path)) as program:
        await world.scan((await program.expect("qr"))["code"])
        await program.expect("connected")
        await uploaded(program, "image", file)
