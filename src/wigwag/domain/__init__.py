# SPDX-License-Identifier: Apache-2.0
"""Floor 1: what wigwag knows, as values and pure functions.

No await, no clock, no log, no chance, and nothing but the standard library: time and random numbers come in as
arguments, effects go out as return values. Instants are Unix seconds (float, UTC); the doors turn them into aware
datetimes.
"""
