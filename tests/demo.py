# SPDX-License-Identifier: Apache-2.0
"""The demo as a process of its own: a whole gateway with the simulator."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def demo(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """Yield its address."""
    command = [sys.executable, "-m", "wigwag", "demo", "--port", "0", "--data", str(folder)]
    with subprocess.Popen(
        command, env=os.environ | settings, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout
            found = (re.search(r"gateway on (\S+),", line) for line in process.stdout)
            yield next(match[1] for match in found if match)
        finally:
            process.kill()
