# SPDX-License-Identifier: Apache-2.0
"""The settings as the command line needs them: options before the environment, and errors as sentences.

What settings there are is said in `wigwag.config`, nowhere here.
"""

from typing import Any

from wigwag import precautions
from wigwag.cli.outcome import Failure
from wigwag.config import Settings
from wigwag.domain.errors import GatewayError


def read(**options: Any) -> Settings:
    """The settings, with the options that were given in place of the environment. Raises Failure."""
    try:
        return _build(options)
    except ValueError as error:
        wrong = "\n".join(f"  {line}" for line in complaints(error))
        raise Failure(f"the settings are not right.\n{wrong}\nSee `wigwag config show`.") from error


def problems() -> list[str]:
    """Everything that is wrong with the environment, a sentence each; also what only a start would refuse."""
    try:
        chosen = _build({})
    except ValueError as error:
        return complaints(error)
    keys = not precautions.needs_a_key(chosen) or _has_keys(chosen)
    return precautions.dangers(chosen, keys=keys)


def _has_keys(chosen: Settings) -> bool:
    """Whether the database has a key; one that cannot be asked has none."""
    from wigwag.compose import guarding  # noqa: PLC0415 - loads whatsmeow, which other verbs need not wait for

    try:
        return guarding.has_keys(chosen)
    except GatewayError:
        return False


def _build(options: dict[str, Any]) -> Settings:
    return Settings(**{name: value for name, value in options.items() if value is not None})


def complaints(error: ValueError) -> list[str]:
    """What a validation found, a sentence for each place. Values are left out: they may be secret."""
    found: list[dict[str, Any]] = getattr(error, "errors", list)()
    lines = [f"{'.'.join(map(str, each['loc'])) or 'together'}: {each['msg']}" for each in found]
    return lines or [str(error)]
