# SPDX-License-Identifier: Apache-2.0
"""Pages of other sites: which may ask at all (CORS), and that none acts in the name of who looks at it (CSRF).

What a browser sends by itself (cookies, passwords, or nothing where nobody is asked) proves nothing about who wanted
it, so a change then needs a proof that the page is ours.
"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from wigwag.domain.access import Caller, Means

SAFE = {"GET", "HEAD", "OPTIONS"}
PROOF = "x-wigwag-request"  # no page of another site can set a header of this name without our leave
MAY_SEND = ["Authorization", "X-Api-Key", "Content-Type", "Idempotency-Key", "Traceparent", "Last-Event-ID"]
MAY_READ = ["RateLimit", "RateLimit-Policy", "Retry-After", "Location", "Idempotency-Replayed"]
MAY_DO = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def is_foreign(headers: Mapping[str, str], allowed: Collection[str]) -> bool:
    """Whether a page of another site sent this, and none of those that may."""
    origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "")
    if origin and origin in allowed:
        return False
    if site:
        return site not in ("none", "same-origin")
    return bool(origin) and not _is_ours(origin, headers)


def is_proven(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours sent this: the browser says so, or a header does that others cannot set."""
    origin, site = headers.get("origin", ""), headers.get("sec-fetch-site", "")
    if PROOF in headers or site == "same-origin":
        return True
    return not site and bool(origin) and _is_ours(origin, headers)


def must_be_proven(caller: Caller) -> bool:
    """Whether a browser would send what this caller shows by itself, to whoever asks for it."""
    return caller.means is Means.SESSION


def _is_ours(origin: str, headers: Mapping[str, str]) -> bool:
    """For browsers, and plain HTTP, without Sec-Fetch-Site."""
    return urlsplit(origin).netloc == headers.get("host", "")
