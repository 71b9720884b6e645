# SPDX-License-Identifier: Apache-2.0
"""How a command ends: the exit codes, and the failure that carries one.

A `Failure` is an expected error: the person sees its sentence, never a traceback. Anything else is a defect.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the shell gets. `docs/CLI.md` has the same table."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    REFUSED = 4
    INTERRUPTED = 130


class Failure(Exception):
    """The command could not do its work. The message says what to do next."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code
