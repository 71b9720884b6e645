# SPDX-License-Identifier: Apache-2.0
"""The WhatsApp room: neonize (whatsmeow) behind the ports `Link` and `Wire`. The only importer of neonize.

Protobufs, LIDs and Go's error texts end here; above it there are domain facts and domain errors.
"""

from wigwag.adapters.whatsapp.library import check

check()  # before anything of neonize is imported
