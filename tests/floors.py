# SPDX-License-Identifier: Apache-2.0
"""The checker of the floors: reads source as text and yields one sentence for each offence.

`docs/ARCHITECTURE.md` says why the floors are so. A new library or room is one line in a table here; an exemption for
one file never is.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

Check = Callable[[str, str], Iterator[str]]
"""Takes a module's name and source; yields its offences."""

FLOORS = {"domain": 1, "app": 2, "adapters": 3, "compose": 4, "testing": 4, "cli": 5, "__main__": 5}
CELLAR = {"config", "logs", "precautions"}  # data, read by the adapters and above; it may know the domain's values
LOBBY = {"ports", "gateway", "access"}  # the parts of app that a room may touch
GUESTS_OF_THE_SIMULATOR = {"simulator", "compose", "cli"}

PURE = {"__future__", "array", "base64", "binascii", "bisect", "collections", "dataclasses", "datetime", "enum"}
PURE |= {"fnmatch", "functools", "hashlib", "heapq", "hmac", "ipaddress", "itertools", "json", "math", "operator", "re"}
PURE |= {"string", "struct", "types", "typing"}

# Where a third-party library may be imported. The simulator stands alone and brings its own.
LIBRARIES = {
    "PIL": {"adapters.media"},
    "aio_pika": {"adapters.amqp"},
    "aiormq": {"adapters.amqp"},
    "aiosqlite": {"adapters.storage"},
    "alembic": {"adapters.storage"},
    "asyncmy": {"adapters.storage"},
    "asyncpg": {"adapters.storage"},
    "cryptography": {"adapters.sessions"},
    "fastapi": {"adapters.rest"},
    "google": {"adapters.whatsapp"},
    "httpcore": {"adapters.outgoing"},
    "httpx": {"cli", "compose"},
    "httpx2": {"adapters.mcp"},
    "joserfc": {"adapters.tokens"},
    "mcp": {"adapters.mcp"},
    "mcp_types": {"adapters.mcp"},
    "neonize": {"adapters.whatsapp"},
    "opentelemetry": {"adapters.traces"},
    "pamqp": {"adapters.amqp"},
    "phonenumbers": {"adapters.numbering"},
    "prometheus_client": {"adapters.metrics"},
    "pydantic": {"adapters.mcp", "adapters.rest", "config"},
    "pydantic_settings": {"config"},
    "redis": {"adapters.redis"},
    "rich": {"cli"},
    "segno": {"adapters.rest", "cli"},
    "sqlalchemy": {"adapters.storage"},
    "starlette": {"adapters.console", "adapters.mcp", "adapters.realtime", "adapters.rest"},
    "structlog": {"logs"},
    "typer": {"cli"},
    "uvicorn": {"compose"},
    "uvloop": {"cli", "compose"},
    "websockets": {"adapters.realtime"},
}

LONGEST_MODULE = 400  # lines; over it, a module becomes a room
LONGEST_FUNCTION = 60  # lines; the median should stay about 10
CLOCKS = {"now", "utcnow", "today"}
MOCKS = {"Mock", "MagicMock", "AsyncMock", "monkeypatch", "patch"}
SLEEPS = {"time.sleep", "asyncio.sleep", "sleep"}


def modules(folder: Path) -> dict[str, str]:
    """Return name -> source of each Python file in the folder; a package's `__init__` goes by the package's name."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        if "node_modules" in path.parts:
            continue
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text()
    return found


def misplaced_imports(module: str, source: str) -> Iterator[str]:
    """Yield each import of this wigwag module that goes where it may not."""
    me = module.split(".")[1:] or [""]
    for name in _imported(ast.parse(source)):
        top, *there = name.split(".")
        reasons = _trespasses(me, there) if top == "wigwag" else _smuggles(me, top)
        yield from (f"{module}: {reason} {name}" for reason in reasons)


def impurities(module: str, source: str) -> Iterator[str]:
    """Yield each await and each look at a clock in a module of the domain."""
    if module.split(".")[1:2] != ["domain"]:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
            yield f"{module}:{node.lineno}: the domain waits"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{module}:{node.lineno}: the domain looks at a clock"


def misshapes(module: str, source: str) -> Iterator[str]:
    """Yield a missing licence line or docstring, and what grew too long."""
    if not source.startswith("# SPDX-License-Identifier: Apache-2.0\n"):
        yield f"{module}: the first line is not the SPDX licence line"
    tree = ast.parse(source)
    if not ast.get_docstring(tree):
        yield f"{module}: no docstring"
    if (lines := source.count("\n")) > LONGEST_MODULE:
        yield f"{module}: {lines} lines"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{module}: {node.name} has {length} lines"


def lazy_tests(module: str, source: str) -> Iterator[str]:
    """Yield each mock in the tests of domain and app, and each sleep in any test; `sleep(0)` only lets others run."""
    tree = ast.parse(source)
    if module.startswith(("tests.domain", "tests.app")):
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        named |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        named |= {name.split(".")[-1] for name in _imported(tree)}
        yield from (f"{module}: {mock} where a fake belongs" for mock in sorted(named & MOCKS))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SLEEPS and not _yields_only(node):
            yield f"{module}:{node.lineno}: sleeps"


def _yields_only(call: ast.Call) -> bool:
    return [ast.unparse(argument) for argument in call.args] == ["0"]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)


def _trespasses(me: list[str], there: list[str]) -> Iterator[str]:
    """Yield why `me` may not import `there`; both are paths below `wigwag`."""
    room, target = me[0], (there or [""])[0]
    floor = FLOORS.get(room, 0)
    if room == "simulator" and target != "simulator":
        yield "the simulator leans on"
    if target == "simulator" and room not in GUESTS_OF_THE_SIMULATOR:
        yield "walks into the simulator:"
    if room in CELLAR and FLOORS.get(target, 0) > FLOORS["domain"]:
        yield "the cellar reaches up to"
    if FLOORS.get(target, 0) > floor > 0:
        yield "reaches up to"
    if room in ("domain", "app") and target in CELLAR:
        yield "reads the cellar"
    if room == target == "adapters" and me[1:2] != there[1:2]:
        yield "room imports room"
    if room == "adapters" and target == "app" and not LOBBY.intersection(there[1:2]):
        yield "room walks into"


def _smuggles(me: list[str], library: str) -> Iterator[str]:
    """Yield why `me` may not import this library; a relative import has no library, thus an empty name."""
    if not library:
        yield "relative import"
    elif me[0] == "domain":
        if library not in PURE:
            yield "the domain imports"
    elif me[0] != "simulator" and library not in sys.stdlib_module_names:
        rooms = LIBRARIES.get(library, set())
        if not rooms & {me[0], ".".join(me[:2])}:
            yield f"only {', '.join(sorted(rooms)) or 'a room named in tests/floors.py'} may import"
