# SPDX-License-Identifier: Apache-2.0
"""`wigwag mcp`: tools for a language model over stdin and stdout. What they do is the gateway's business."""

import asyncio

from wigwag import __version__
from wigwag.cli.client import HOME, Url, shown_key, unreachable
from wigwag.cli.outcome import ExitCode, Failure
from wigwag.domain.errors import Unauthenticated, Unavailable


def mcp(url: Url = HOME) -> None:
    """Serve a running gateway's tools over stdin and stdout (MCP).

    A model's host starts this by itself. What the tools may do is what the key
    in WIGWAG_API_KEY may do.

    Examples:
      wigwag mcp
      wigwag mcp --url https://wigwag.example.org
    """
    from wigwag.adapters.mcp import bridge  # noqa: PLC0415 - the SDK takes a second, which other verbs need not wait for

    try:
        asyncio.run(bridge.serve(url, shown_key(), __version__))
    except Unavailable as error:
        raise unreachable(url) from error
    except Unauthenticated as error:
        raise Failure(str(error), ExitCode.REFUSED) from error
