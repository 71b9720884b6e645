# SPDX-License-Identifier: Apache-2.0
"""Who a user of the host application is, as a token proves: the port Authenticator.

The only room that knows JSON Web Tokens. It keeps no user and opens no socket.
"""

from wigwag.adapters.tokens.jwt import JwtAuthenticator
from wigwag.adapters.tokens.keys import Fetch, Keys, KeySet, Secret, file

__all__ = ["Fetch", "JwtAuthenticator", "KeySet", "Keys", "Secret", "file"]
