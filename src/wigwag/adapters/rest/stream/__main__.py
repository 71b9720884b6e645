# SPDX-License-Identifier: Apache-2.0
"""Prints `docs/EVENTS.md`: `python -m wigwag.adapters.rest.stream > docs/EVENTS.md`."""

from wigwag.adapters.rest.stream.page import describe

print(describe(), end="")  # noqa: T201
