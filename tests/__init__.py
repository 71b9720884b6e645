# SPDX-License-Identifier: Apache-2.0
"""The tests of wigwag. A package, so that it is never mistaken for the `tests` that some library brings along."""
