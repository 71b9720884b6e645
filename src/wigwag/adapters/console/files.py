# SPDX-License-Identifier: Apache-2.0
"""What the build left: one page, and assets whose names change with their content. All is read once, at start.

Where nothing was built there is a page that says how to. No script or style stands in a page itself, so the policy can
be strict.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

BUILT = Path(__file__).with_name("built")
PAGE = "index.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
_PACKED = {".br": "br", ".gz": "gzip"}
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HOW_TO_BUILD = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>wigwag: the console is not built</title>
<h1>The console is not built</h1>
<p>The gateway works; only these pages are missing. An installed package brings them. In a checkout they are made with
Node 20 or newer and npm:</p>
<pre>make console</pre>
<p>Then start the gateway again. The API is at <a href="/openapi.json">/openapi.json</a>, presence at
<a href="/api/presence">/api/presence</a>, health at <a href="/readyz">/readyz</a>.</p>
</html>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file, in every encoding that there is of it; "" is the plain one."""

    headers: Mapping[str, str]
    etag: str
    bodies: Mapping[str, bytes] = field(repr=False)

    def best(self, accepted: str) -> tuple[str, bytes]:
        """The smallest that a client takes (Accept-Encoding), and how it is encoded."""
        names = {part.partition(";")[0].strip() for part in accepted.split(",") if not part.endswith(";q=0")}
        name = next((name for name in ("br", "gzip") if name in names and name in self.bodies), "")
        return name, self.bodies[name]


class Files:
    """The files below a folder, by the path that they are asked by."""

    def __init__(self, folder: Path = BUILT) -> None:
        plain = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in _TYPES]
        self._files = {f"/{path.relative_to(folder).as_posix()}": _read(path, folder) for path in plain}
        self.built = f"/{PAGE}" in self._files
        if not self.built:
            self._files[f"/{PAGE}"] = _file(_HOW_TO_BUILD.encode(), ".html", {})

    @property
    def page(self) -> File:
        return self._files[f"/{PAGE}"]

    def get(self, path: str) -> File | None:
        return self._files.get(path)


def _read(path: Path, folder: Path) -> File:
    packed = {
        encoding: Path(f"{path}{suffix}").read_bytes()
        for suffix, encoding in _PACKED.items()
        if Path(f"{path}{suffix}").is_file()
    }
    return _file(path.read_bytes(), path.suffix, packed, for_ever=path.parent != folder)


def _file(body: bytes, suffix: str, packed: Mapping[str, bytes], *, for_ever: bool = False) -> File:
    caching = "public, max-age=31536000, immutable" if for_ever else "no-cache"
    return File(
        headers={**_HEADERS, "Content-Type": _TYPES[suffix], "Cache-Control": caching, "Vary": "Accept-Encoding"},
        etag=f'"{sha256(body).hexdigest()[:16]}"',
        bodies={"": body, **packed},
    )
