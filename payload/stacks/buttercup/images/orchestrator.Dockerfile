# Task server, downloader, scheduler, reproducer, cleaner; and the dashboard, which is the same image.
# Context: the installation directory.  Root, because nested containers leave root's files in the shared
# directories; the dashboard, which has none of them, runs as 1000.  No compiler in it.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
# apt needs none: it asks over http, and checks signatures.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.5.20@sha256:a8d9b557b6cd6ede1842b0e03cd7ac26870e2c6b4eea4e10dab67cbd3145f8d9
ARG DOCKER_IMAGE=docker:28-cli@sha256:625d9431a9f54c5a2bc90f24f0e1c3d55b1349fd857dd85035f98c2c9acbdd4d

FROM ${UV_IMAGE} AS uv
FROM ${DOCKER_IMAGE} AS docker

FROM ${PYTHON_IMAGE} AS builder
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/buttercup \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY src/common common
COPY src/orchestrator orchestrator
COPY images/supervisor.txt .
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && cd orchestrator && uv sync --frozen --no-dev --no-editable \
 && uv pip install --python /opt/buttercup/bin/python --require-hashes --no-deps -r ../supervisor.txt

FROM ${PYTHON_IMAGE}
ARG BUTTERCUP_COMMIT=unknown
RUN apt-get update \
 && apt-get install -y --no-install-recommends git rsync \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --uid 1000 --user-group --create-home buttercup \
 && install -d -o 1000 -g 1000 /ui_data
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/
COPY --from=builder /opt/buttercup /opt/buttercup
COPY images/start.py images/health.py images/program.sh images/quick_test.py /usr/local/lib/buttercup/
COPY images/orchestrator.conf /etc/buttercup/supervisord.conf
ENV PATH=/opt/buttercup/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="Buttercup orchestrator" \
      org.opencontainers.image.licenses="AGPL-3.0-only" \
      org.opencontainers.image.revision="${BUTTERCUP_COMMIT}"
WORKDIR /opt/buttercup
ENTRYPOINT ["python3", "/usr/local/lib/buttercup/start.py", "--"]
CMD ["supervisord", "-c", "/etc/buttercup/supervisord.conf"]
