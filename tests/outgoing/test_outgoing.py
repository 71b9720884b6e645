# SPDX-License-Identifier: Apache-2.0
"""Calls to foreign URLs over real sockets: what comes back from good and bad servers, and what is never touched."""

import asyncio
import datetime as dt
import ipaddress
import os
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.outgoing.receiver import CHUNK, Receiver, receiving
from wigwag.adapters.outgoing import Outgoing
from wigwag.adapters.outgoing.client import LARGEST_ANSWER
from wigwag.adapters.outgoing.guard import Resolve
from wigwag.domain.addresses import parse_networks
from wigwag.domain.errors import InvalidMessage, InvalidUrl, Unavailable

LOOPBACK = "127.0.0.0/8, ::1"
SAFETY = 20.0  # seconds
SHORT = 0.3  # seconds: the whole patience with servers that never come to an end


@asynccontextmanager
async def going_out(allowed: str = LOOPBACK, patience: float = SAFETY, **more: object) -> AsyncIterator[Outgoing]:
    outgoing = Outgoing(parse_networks(allowed), patience=patience, fetch_patience=patience, **more)  # type: ignore[arg-type]
    try:
        yield outgoing
    finally:
        await outgoing.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


# --- answers


@pytest.mark.parametrize("status", [200, 202, 204, 301, 302, 307, 308, 400, 401, 404, 410, 429, 500, 502, 503, 599])
async def test_every_answer_is_told_as_it_is_and_none_is_followed(receiver: Receiver, status: int) -> None:
    async with going_out() as outgoing:
        answer = await outgoing.post(receiver.url(f"/{status}"), {"x-a": "b"}, b'{"a":1}')
    assert answer.status == status
    assert [request.path for request in receiver.requests] == [f"/{status}"]


async def test_the_request_is_plain_and_whole(receiver: Receiver) -> None:
    async with going_out() as outgoing:
        await outgoing.post(receiver.url("/200?token=1"), {"webhook-id": "evt_1"}, "é".encode())
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/200?token=1", "é".encode())
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["webhook-id"] == "evt_1"
    assert request.headers["user-agent"].startswith("wigwag/")


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_told(receiver: Receiver, status: int) -> None:
    async with going_out() as outgoing:
        answer = await outgoing.post(receiver.url(f"/{status}/120"), {}, b"")
    assert answer.retry_after == "120"


@pytest.mark.parametrize("path", ["/never", "/drip", "/reset", "/garbage"])
async def test_a_server_that_does_not_come_to_an_end_is_left(receiver: Receiver, path: str) -> None:
    async with going_out(patience=SHORT) as outgoing:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 did not answer"):
            await outgoing.post(receiver.url(path), {}, b"")


async def test_of_an_endless_answer_only_the_beginning_is_read(receiver: Receiver) -> None:
    async with going_out() as outgoing:
        assert (await outgoing.post(receiver.url("/endless"), {}, b"")).status == 200
    assert receiver.written < 200 * LARGEST_ANSWER  # what fits into the sockets' buffers, of 1 GB and more
    assert len(CHUNK) >= LARGEST_ANSWER


async def test_a_port_where_nobody_listens_is_unavailable(receiver: Receiver) -> None:
    async with receiving() as gone:
        url = gone.url()
    async with going_out() as outgoing:
        with pytest.raises(Unavailable):
            await outgoing.post(url, {}, b"")


async def test_a_header_that_is_none_is_refused_before_it_is_sent(receiver: Receiver) -> None:
    async with going_out() as outgoing:
        with pytest.raises(Unavailable):
            await outgoing.post(receiver.url(), {"webhook-id": "a\r\nevil: 1"}, b"")
    assert receiver.requests == []


async def test_one_that_never_answers_keeps_no_other_waiting(receiver: Receiver) -> None:
    async with going_out(patience=SAFETY) as outgoing:
        stuck = [asyncio.create_task(outgoing.post(receiver.url("/never"), {}, b""), name="stuck") for _ in range(64)]
        await receiver.until(lambda requests: len(requests) == 64)
        async with asyncio.timeout(SAFETY / 2):
            assert (await outgoing.post(receiver.url("/200"), {}, b"")).status == 200
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, going_out() as outgoing:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setitem(os.environ, name, proxy.url(""))
        assert (await outgoing.post(receiver.url(), {}, b"")).status == 200
    assert proxy.connections == 0


# --- media


async def test_media_are_fetched_up_to_a_limit(receiver: Receiver) -> None:
    async with going_out() as outgoing:
        assert await outgoing.fetch(receiver.url("/200"), limit=5) == b"hello"
        for path in ("/200", "/endless"):
            with pytest.raises(InvalidMessage) as refused:
                await outgoing.fetch(receiver.url(path), limit=4)
            assert refused.value.reason == "media_too_large"
    assert [request.method for request in receiver.requests] == ["GET"] * 3


@pytest.mark.parametrize(
    ("path", "error"),
    [
        *((f"/{status}", InvalidMessage) for status in (301, 400, 404, 410)),
        *((f"/{status}", Unavailable) for status in (429, 500, 503)),
        *((path, Unavailable) for path in ("/never", "/drip", "/reset")),
    ],
)
async def test_media_that_cannot_be_had_say_whether_to_try_again(
    receiver: Receiver, path: str, error: type[Exception]
) -> None:
    async with going_out(patience=SHORT) as outgoing:
        with pytest.raises(error):
            await outgoing.fetch(receiver.url(path), limit=10**6)


async def test_media_inside_the_network_are_refused() -> None:
    async with receiving() as decoy, going_out(allowed="") as outgoing:
        with pytest.raises(InvalidMessage, match="WIGWAG_OUTGOING_ALLOW") as refused:
            await outgoing.fetch(decoy.url(), limit=10)
    assert (refused.value.reason, decoy.connections) == ("media_url", 0)


# --- what is never touched


HOSTS = ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[::]", "[64:ff9b::7f00:1]"]
HOSTS += ["[2002:7f00:1::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "127.0.0.1.", "localhost."]
HOSTS += ["user@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1%00.example.com", "127.0.0.2", "[::127.0.0.1]"]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
async def test_no_spelling_of_this_machine_is_connected_to(host: str, family: str) -> None:
    async with receiving(host=family) as decoy, going_out(allowed="") as outgoing:
        with pytest.raises(InvalidUrl):
            await outgoing.post(decoy.url(host=host), {}, b"")
    assert decoy.connections == 0


@pytest.mark.parametrize("url", ["unix:///tmp/x", "http+unix://%2Ftmp%2Fx/", "file:///etc/hostname", "ftp://a.example"])
async def test_no_other_scheme_is_spoken(url: str) -> None:
    async with going_out(allowed="0.0.0.0/0, ::/0") as outgoing:
        with pytest.raises(InvalidUrl):
            await outgoing.post(url, {}, b"")


def answering(*answers: Sequence[str]) -> tuple[Resolve, list[str]]:
    """A name server that gives the next of its answers each time, and what it was asked."""
    asked: list[str] = []

    def resolve(host: str) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked


@pytest.mark.parametrize("inner", ["127.0.0.1", "::ffff:127.0.0.1", "::1", "169.254.169.254", "10.0.0.1"])
async def test_a_name_that_leads_inside_is_refused(inner: str) -> None:
    resolve, _asked = answering([inner])
    async with receiving() as decoy, going_out(allowed="", resolve=resolve) as outgoing:
        with pytest.raises(InvalidUrl, match=r"inner\.example is an address inside"):
            await outgoing.post(decoy.url(host="inner.example"), {}, b"")
    assert decoy.connections == 0


async def test_a_name_is_resolved_once_and_only_what_was_judged_is_connected_to() -> None:
    """DNS rebinding: public at the first look and private at the second. There is no second look."""
    resolve, asked = answering(["127.0.0.1"], ["127.0.0.2"])
    async with (
        receiving() as judged,
        receiving(host="127.0.0.2") as rebound,
        going_out(allowed="127.0.0.1", resolve=resolve) as outgoing,
    ):
        assert (await outgoing.post(judged.url(host="flip.example"), {}, b"")).status == 200
        with pytest.raises(InvalidUrl):
            await outgoing.post(rebound.url(host="flip.example"), {}, b"")
    assert asked == ["flip.example"] * 2
    assert rebound.connections == 0
    assert judged.requests[0].headers["host"] == f"flip.example:{judged.port}"


async def test_of_several_addresses_only_those_allowed_are_tried() -> None:
    resolve, _asked = answering(["127.0.0.2", "127.0.0.1"])
    async with receiving() as good, going_out(allowed="127.0.0.1", resolve=resolve) as outgoing:
        assert (await outgoing.post(good.url(host="both.example"), {}, b"")).status == 200


async def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    resolve, _asked = answering(["127.0.0.9", "127.0.0.1"])
    async with receiving() as good, going_out(resolve=resolve) as outgoing:
        assert (await outgoing.post(good.url(host="both.example"), {}, b"")).status == 200


async def test_a_redirect_inside_is_not_followed() -> None:
    async with receiving() as inner, receiving() as outer, going_out(allowed="127.0.0.1") as outgoing:
        assert (await outgoing.post(outer.url(f"/302/{inner.port}"), {}, b"")).status == 302
    assert inner.connections == 0


async def test_a_name_without_an_address_is_unavailable() -> None:
    def resolve(host: str) -> Sequence[str]:
        raise OSError("no such name")

    async with going_out(resolve=resolve) as outgoing:
        with pytest.raises(Unavailable):
            await outgoing.post("http://nobody.example/", {}, b"")


# --- certificates


def certificate(folder: Path, *, days: int, name: str) -> ssl.SSLContext:
    """A server's context with a certificate of its own making, valid until so many days from now."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    names: list[x509.GeneralName] = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names[:1]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize(
    ("days", "name", "trusted", "reason"),
    [
        (9, "good.example", True, None),
        (-1, "good.example", True, "expired"),
        (9, "other.example", True, "good.example"),
        (9, "good.example", False, "self.signed"),
    ],
)
async def test_a_certificate_must_be_valid_ours_to_trust_and_for_the_name(
    tmp_path: Path, days: int, name: str, trusted: bool, reason: str | None
) -> None:
    served, trust = certificate(tmp_path, days=days, name=name), ssl.create_default_context()
    if trusted:
        trust.load_verify_locations(tmp_path / f"{name}.pem")
    resolve, _asked = answering(["127.0.0.1"])
    async with receiving(tls=served) as receiver, going_out(resolve=resolve, trust=trust) as outgoing:
        url = receiver.url(host="good.example")
        if reason is None:
            assert (await outgoing.post(url, {}, b"")).status == 200
            return
        with pytest.raises(Unavailable, match=reason):
            await outgoing.post(url, {}, b"")
        assert receiver.requests == []
