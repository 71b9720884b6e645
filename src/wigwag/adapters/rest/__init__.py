# SPDX-License-Identifier: Apache-2.0
"""The room of HTTP: turns requests into calls of the gateway and its answers into JSON.

It decides nothing. FastAPI, pydantic and segno are known here only; what `/metrics` says comes in as a function.
"""

from wigwag.adapters.rest.app import build_app
from wigwag.adapters.rest.findings import Finding
from wigwag.adapters.rest.health import BROKER, Check
from wigwag.adapters.rest.simulator import PassOn
from wigwag.adapters.rest.stream import Stream

__all__ = ["BROKER", "Check", "Finding", "PassOn", "Stream", "build_app"]
