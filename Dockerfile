# SPDX-License-Identifier: Apache-2.0
# The gateway alone, as nobody in particular, from what the lock pins. It downloads nothing while it runs.
# `scripts/image` builds it without a container engine's daemon, and says what it tried.

FROM node:20-bookworm-slim AS console
WORKDIR /src
COPY scripts/console scripts/
COPY console console
RUN mkdir -p src/wigwag/adapters/console && scripts/console must

FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# Dependencies first: they change less often than we do.
COPY requirements.lock requirements-dev.lock ./
RUN python3 -m venv /opt/wigwag \
    && /opt/wigwag/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
COPY --from=console /src/src/wigwag/adapters/console/built src/wigwag/adapters/console/built
# What packs the wheel is pinned by the locks too, and stays behind here.
RUN cat requirements.lock requirements-dev.lock \
    | sed --quiet --regexp-extended '/^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/,/[^\\]$/p' >pack.lock \
    && python3 -m venv /opt/pack && /opt/pack/bin/pip install --quiet --require-hashes -r pack.lock \
    && /opt/pack/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/wigwag/bin/pip install --quiet --no-deps --no-index /wheels/*.whl \
    && /opt/wigwag/bin/python -m compileall -q /opt/wigwag/lib \
    && /opt/wigwag/bin/pip uninstall --quiet --yes setuptools pip

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates libmagic1 python3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin wigwag \
    && install --directory --owner=wigwag --mode=0700 /app /app/session /app/logs
COPY --from=build /opt/wigwag /opt/wigwag
ENV PATH=/opt/wigwag/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    ENV=production \
    APP_HOST=0.0.0.0 \
    WHATSAPP_SESSION_PATH=/app/session \
    LOG_DIR=/app/logs
WORKDIR /app
USER 10001
VOLUME ["/app/session"]
EXPOSE 8080
# Alive is asked here, not ready: to be started anew helps a process that hangs, and no link that is down.
HEALTHCHECK --interval=30s --timeout=5s --start-period=40s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ.get('APP_PORT', 8080)}/livez\", timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["wigwag"]
CMD ["serve"]
