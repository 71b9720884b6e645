# SPDX-License-Identifier: Apache-2.0
"""Builds the console into the wheel, so that whoever installs wigwag needs no Node.

A source distribution brings it built. Where it is neither built nor can be, the wheel comes without it and says so.
"""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleBuildHook(BuildHookInterface[Any]):
    """Runs scripts/console before a wheel is packed. An editable install is served from the tree, as it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling."""
        root = Path(self.root)
        script = root / "scripts" / "console"
        if version == "editable" or not script.exists():
            return
        subprocess.run([str(script)], check=True)  # noqa: S603  a script of ours
        if not (root / "src/wigwag/adapters/console/built/index.html").exists():
            self.app.display_warning("This wheel has no console: install npm and Node 20, and build it again.")
