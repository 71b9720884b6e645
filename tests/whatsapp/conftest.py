# SPDX-License-Identifier: Apache-2.0
"""neonize is imported here, where what it leaves open on the way does no test any harm."""

import gc
import subprocess
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)
    import wigwag.adapters.whatsapp.room  # noqa: F401

    gc.collect()
    subprocess.run(["true"], check=True)
