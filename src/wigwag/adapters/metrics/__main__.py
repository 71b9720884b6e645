# SPDX-License-Identifier: Apache-2.0
"""`python -m wigwag.adapters.metrics` prints docs/METRICS.md."""

import sys

from wigwag.adapters.metrics.page import describe

sys.stdout.write(describe())
