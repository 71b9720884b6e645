# SPDX-License-Identifier: Apache-2.0
"""`python -m wigwag`: the same as the `wigwag` command.

No behaviour belongs here; the verbs are in `wigwag.cli`.
"""

from wigwag.cli import main

if __name__ == "__main__":
    main()
