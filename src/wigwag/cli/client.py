# SPDX-License-Identifier: Apache-2.0
"""The gateway over HTTP, for the verbs that talk to one. Whatever goes wrong becomes a Failure with the right code.

No knowledge of any one address belongs here.
"""

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Annotated, Any, Self
from urllib.parse import quote

import httpx
import typer

from wigwag.cli.outcome import ExitCode, Failure
from wigwag.cli.settings import complaints
from wigwag.config import KeySettings

HOME = "http://127.0.0.1:8080"
TIMEOUT = httpx.Timeout(30.0, connect=5.0)
DIRECT = {"all://127.0.0.1": None, "all://localhost": None}  # no proxy leads to this machine

Url = Annotated[str, typer.Option("--url", envvar="WIGWAG_URL", help="Where the gateway is.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Client:
    """`with Client(url) as gateway:`. Methods give the decoded JSON, None for an empty answer, and raise Failure."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        try:
            self._http = httpx.Client(base_url=self.url, timeout=TIMEOUT, mounts=DIRECT, headers=_headers())
        except httpx.InvalidURL as error:
            raise self._no_url() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, *path: str, **params: str | list[str] | None) -> Any:
        return self._ask("GET", path, params=_given(params))

    def post(self, *path: str, body: Any = None, **params: str | None) -> Any:
        return self._ask("POST", path, json=body, params=_given(params))

    def upload(self, *path: str, file: bytes) -> Any:
        """Send the bytes themselves."""
        return self._ask("POST", path, content=file)

    def put(self, *path: str, body: Any) -> Any:
        return self._ask("PUT", path, json=body)

    def patch(self, *path: str, body: Any) -> Any:
        return self._ask("PATCH", path, json=body)

    def delete(self, *path: str, **params: str | None) -> Any:
        return self._ask("DELETE", path, params=_given(params))

    def _ask(self, method: str, path: tuple[str, ...], **rest: Any) -> Any:
        where = "/api/" + "/".join(quote(part, safe="@") for part in path)
        try:
            answer = self._http.request(method, where, **rest)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise self._no_url() from error
        except httpx.TimeoutException as error:
            raise Failure(f"the gateway at {self.url} took too long to answer.", ExitCode.UNREACHABLE) from error
        except httpx.TransportError as error:
            raise unreachable(self.url) from error
        if answer.is_error:
            raise _failure(answer)
        try:
            return answer.json() if answer.content else None
        except json.JSONDecodeError as error:
            raise Failure(f"what answers at {self.url} is not wigwag.", ExitCode.UNREACHABLE) from error

    def _no_url(self) -> Failure:
        return Failure(f"{self.url!r} is no address of a gateway: write it like {HOME}.", ExitCode.USAGE)


def unreachable(url: str) -> Failure:
    """What to say where nobody answers."""
    return Failure(
        f"no gateway answers at {url}. Start one with `wigwag serve` or `wigwag demo`, or say where it is with "
        "--url or WIGWAG_URL.",
        ExitCode.UNREACHABLE,
    )


def shown_key() -> str | None:
    """The key of the environment, if there is one."""
    try:
        return KeySettings().shown_key
    except ValueError as error:
        raise Failure("\n".join(["the key is not right.", *complaints(error)])) from error


def _headers() -> dict[str, str]:
    key = shown_key()
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _given(params: Mapping[str, str | list[str] | None]) -> dict[str, str | list[str]]:
    return {name: value for name, value in params.items() if value is not None}


def _failure(answer: httpx.Response) -> Failure:
    """What the gateway says was wrong: the detail of a problem (RFC 9457), else the status."""
    try:
        problem = answer.json()
    except json.JSONDecodeError:
        problem = None
    problem = problem if isinstance(problem, dict) else {}
    reason = problem.get("detail") or problem.get("title")
    reason = str(reason) if reason else f"the gateway answered {answer.status_code} {answer.reason_phrase}."
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        reason += " The command line shows the key in WIGWAG_API_KEY or WIGWAG_API_KEY_FILE."
    if problem.get("code") == "invalid_jid":
        return Failure(reason, ExitCode.USAGE)
    return Failure(reason, ExitCode.REFUSED if answer.is_client_error else ExitCode.FAILED)
