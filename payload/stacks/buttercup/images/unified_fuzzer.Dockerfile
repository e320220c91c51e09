# Builds, fuzzes, measures, traces, merges: five programs under one supervisor.
# Context: the installation directory.  On OSS-Fuzz's base-runner, because the targets run in here and
# need its libraries and LLVM tools; it is amd64 in practice, brings binutils and no compiler of ours.
# Root, because nested containers leave root's files in the shared directories.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
# apt needs none: it asks over http, and checks signatures.
ARG BASE_IMAGE=gcr.io/oss-fuzz-base/base-runner:ubuntu-20-04
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.5.20@sha256:a8d9b557b6cd6ede1842b0e03cd7ac26870e2c6b4eea4e10dab67cbd3145f8d9
ARG DOCKER_IMAGE=docker:28-cli@sha256:625d9431a9f54c5a2bc90f24f0e1c3d55b1349fd857dd85035f98c2c9acbdd4d

FROM ${UV_IMAGE} AS uv
FROM ${DOCKER_IMAGE} AS docker

FROM ${BASE_IMAGE} AS builder
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/buttercup \
    UV_PYTHON_DOWNLOADS=manual \
    UV_PYTHON_INSTALL_DIR=/opt/python
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && uv python install 3.12
WORKDIR /build
COPY src/common common
COPY src/fuzzer fuzzer
COPY images/supervisor.txt .
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && cd fuzzer && uv sync --frozen --no-dev --no-editable --python 3.12 \
 && uv pip install --python /opt/buttercup/bin/python --require-hashes --no-deps -r ../supervisor.txt

FROM ${BASE_IMAGE}
ARG BUTTERCUP_COMMIT=unknown
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git rsync \
 && rm -rf /var/lib/apt/lists/*
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/
COPY --from=builder /opt/python /opt/python
COPY --from=builder /opt/buttercup /opt/buttercup
COPY images/start.py images/health.py images/program.sh images/quick_test.py /usr/local/lib/buttercup/
COPY images/unified-fuzzer.conf /etc/buttercup/supervisord.conf
ENV PATH=/opt/buttercup/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="Buttercup unified fuzzer" \
      org.opencontainers.image.licenses="AGPL-3.0-only" \
      org.opencontainers.image.revision="${BUTTERCUP_COMMIT}"
WORKDIR /opt/buttercup
ENTRYPOINT ["python3", "/usr/local/lib/buttercup/start.py", "--"]
CMD ["supervisord", "-c", "/etc/buttercup/supervisord.conf"]
