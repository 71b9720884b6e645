# SPDX-License-Identifier: Apache-2.0
"""The room of Redis: the roster that several gateways share. Nothing is decided here but who may write, and the order.

Its keys are in docs/STORAGE.md.
"""

from wigwag.adapters.redis.roster import RedisRoster

__all__ = ["RedisRoster"]
