# program-model, patcher, seed-gen: the targets of those names.  Context: the installation directory.
# Root, because nested containers leave root's files in the shared directories.  Compilers are in the
# stage that builds cscope only.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
# apt needs none: it asks over http, and checks signatures.
ARG BASE_IMAGE=ubuntu:24.04@sha256:008173c23f95b170204355c12626cb5a965d779a7e1283b09e9cffbb1bf33ca3
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.5.20@sha256:a8d9b557b6cd6ede1842b0e03cd7ac26870e2c6b4eea4e10dab67cbd3145f8d9
ARG DOCKER_IMAGE=docker:28-cli@sha256:625d9431a9f54c5a2bc90f24f0e1c3d55b1349fd857dd85035f98c2c9acbdd4d

FROM ${UV_IMAGE} AS uv
FROM ${DOCKER_IMAGE} AS docker

FROM ${BASE_IMAGE} AS base
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    ca-certificates codequery git libncurses6 patch python3.12 ripgrep rsync universal-ctags \
 && rm -rf /var/lib/apt/lists/*

FROM ${BASE_IMAGE} AS cscope
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    autoconf automake bison flex gcc libc6-dev libncurses-dev make
COPY cscope /cscope
RUN cd /cscope && autoreconf -i -s && ./configure && make && make install

FROM base AS wasm
ARG WASM_URL=https://github.com/vmware-labs/webassembly-language-runtimes/releases/download/python%2F3.12.0%2B20231211-040d5a6/python-3.12.0.wasm
ARG WASM_SHA256=e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && python3.12 -c "import sys, urllib.request; urllib.request.urlretrieve(sys.argv[1], '/python.wasm')" "$WASM_URL" \
 && echo "$WASM_SHA256  /python.wasm" | sha256sum -c -

FROM base AS builder
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PROJECT_ENVIRONMENT=/opt/buttercup \
    UV_PYTHON=python3.12 \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY src/common common
COPY src/program-model program-model

FROM builder AS program-model-builder
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && cd program-model && uv sync --frozen --no-dev --no-editable

FROM builder AS patcher-builder
COPY src/patcher patcher
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && cd patcher && uv sync --frozen --no-dev --no-editable

FROM builder AS seed-gen-builder
COPY src/seed-gen seed-gen
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export SSL_CERT_FILE=/run/ca.crt; fi \
 && cd seed-gen && uv sync --frozen --no-dev --no-editable

FROM base AS runtime
ARG BUTTERCUP_COMMIT=unknown
COPY --from=docker /usr/local/bin/docker /usr/local/bin/docker
COPY --from=docker /usr/local/libexec/docker/cli-plugins/docker-buildx /usr/local/libexec/docker/cli-plugins/
COPY --from=cscope /usr/local/bin/cscope /usr/local/bin/cscope
COPY images/start.py images/health.py /usr/local/lib/buttercup/
ENV PATH=/opt/buttercup/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.licenses="AGPL-3.0-only" \
      org.opencontainers.image.revision="${BUTTERCUP_COMMIT}"
WORKDIR /opt/buttercup
ENTRYPOINT ["python3", "/usr/local/lib/buttercup/start.py", "--"]

FROM runtime AS program-model
COPY --from=program-model-builder /opt/buttercup /opt/buttercup
CMD ["buttercup-program-model", "serve"]

FROM runtime AS patcher
COPY --from=patcher-builder /opt/buttercup /opt/buttercup
CMD ["buttercup-patcher", "serve"]

FROM runtime AS seed-gen
COPY --from=wasm /python.wasm /python-3.12.0.wasm
COPY --from=seed-gen-builder /opt/buttercup /opt/buttercup
ENV PYTHON_WASM_BUILD_PATH=/python-3.12.0.wasm
CMD ["seed-gen", "server"]
