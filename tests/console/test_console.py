# SPDX-License-Identifier: Apache-2.0
"""The console's files: what is served where, how long it may be kept, and that nothing comes from elsewhere."""

import gzip
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from wigwag.adapters.console import Files, mounted
from wigwag.adapters.console.mount import PLACES

PAGE = b'<!doctype html><script type="module" src="/assets/main-1a2b.js"></script>'
SCRIPT = b"document.title = 'wigwag'\n" * 100
ROUTER = Path(__file__).parents[2] / "console" / "src" / "pages" / "index.tsx"


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(f"behind: {scope['method']} {scope['path']}", 404)(scope, receive, send)


def client(folder: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(mounted(Files(folder), behind))
    return httpx.AsyncClient(transport=transport, base_url="http://wigwag", headers={"Accept-Encoding": "identity"})


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build leaves."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "key").write_text("not to be served")
    script = tmp_path / "assets" / "main-1a2b.js"
    script.write_bytes(SCRIPT)
    script.with_name("main-1a2b.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


@pytest.mark.parametrize("path", ["/", "/contacts/919876543210@s.whatsapp.net", "/messages/abc", "/sign-in", "/system"])
async def test_every_address_of_the_console_is_its_page(built: Path, path: str) -> None:
    answer = await client(built).get(path)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/presence"),
        ("GET", "/metrics"),
        ("GET", "/app/devices"),
        ("GET", "/key"),
        ("GET", "/assets/../key"),
        ("GET", "/assets/none.js"),
        ("GET", "/assets/main-1a2b.js.gz"),
        ("POST", "/"),
        ("DELETE", "/contacts/1"),
    ],
)
async def test_all_else_belongs_to_the_app_behind(built: Path, method: str, path: str) -> None:
    assert (await client(built).request(method, path)).text.startswith("behind:")


async def test_assets_may_be_kept_for_ever_since_their_names_change(built: Path) -> None:
    answer = await client(built).get("/assets/main-1a2b.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("br;q=1, gzip;q=0.8", "gzip"),
        ("br", None),
        ("identity", None),
        ("gzip;q=0", None),
    ],
)
async def test_who_takes_it_packed_gets_it_packed(built: Path, accepts: str, encoding: str | None) -> None:
    answer = await client(built).get("/assets/main-1a2b.js", headers={"Accept-Encoding": accepts})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == SCRIPT


@pytest.mark.parametrize("path", ["/", "/assets/main-1a2b.js"])
async def test_what_has_not_changed_is_not_sent_again(built: Path, path: str) -> None:
    first = await client(built).get(path)
    again = await client(built).get(path, headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    packed = await client(built).get(path, headers={"Accept-Encoding": "gzip"})
    assert path == "/" or packed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("path", ["/", "/assets/main-1a2b.js"])
async def test_nothing_inline_and_nothing_from_elsewhere_may_run(built: Path, path: str) -> None:
    policy = dict(
        part.split(" ", 1) for part in (await client(built).get(path)).headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in str(policy)


async def test_a_head_has_no_body(built: Path) -> None:
    answer = await client(built).head("/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_where_nothing_is_built_a_page_says_how_to(tmp_path: Path) -> None:
    answer = await client(tmp_path).get("/")
    assert answer.status_code == 200
    assert "make console" in answer.text
    assert "<script" not in answer.text
    assert "style" not in answer.text


def test_the_gateway_knows_the_addresses_of_all_pages() -> None:
    source = ROUTER.read_text()
    told = {line.split("'")[1] for line in source.splitlines() if line.strip().startswith("case '")}
    assert told
    assert told <= PLACES
