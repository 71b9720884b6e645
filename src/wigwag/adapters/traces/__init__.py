# SPDX-License-Identifier: Apache-2.0
"""The room of OpenTelemetry, an extra: spans of what happens to messages, exported as OTLP over HTTP.

`spans` makes them from facts, `exporter` sends them. Nothing is instrumented: whatever a span says was announced.
"""

from wigwag.adapters.traces.exporter import Traces, open_traces

__all__ = ["Traces", "open_traces"]
