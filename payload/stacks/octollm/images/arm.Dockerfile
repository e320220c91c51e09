# One of the five arms that upstream has no code for at our revision.  OCTO_STUB says which is built,
# the placeholder or upstream's code; when that is not what src/ has, the build stops and says so.
# Context: the installation directory.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
ARG OCTO_PYTHON_IMAGE=python:3.13.7-slim@sha256:5f55cdf0c5d9dc1a415637a5ccc4a9e18663ad203673173b8cda8f8dcacef689

FROM ${OCTO_PYTHON_IMAGE} AS packages
ARG ARM
ARG OCTO_STUB=true
COPY images/requirements.txt images/requirements-arms.txt /tmp/
COPY images/arm.sh /app/start
COPY images/arm_stub.py images/quick_test.py /app/
COPY src/services/arms/${ARM} /app/services/arms/${ARM}
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi; \
    set -eu; cd "/app/services/arms/${ARM}"; \
    has_code=false; for file in src/main.py app/main.py; do [ ! -f "$file" ] || has_code=true; done; \
    if [ "$has_code" = "${OCTO_STUB}" ]; then \
      echo "the ${ARM} arm: upstream has code: $has_code; OCTO_STUB=${OCTO_STUB} in compose.yaml does not fit" >&2; \
      exit 1; \
    fi; \
    mkdir -p /opt/venv; \
    if [ "$has_code" = true ]; then \
      python3 -m venv /opt/venv; \
      /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
        --only-binary :all: --no-deps -r /tmp/requirements.txt -r /tmp/requirements-arms.txt; \
    fi; \
    chmod -R a+rX,go-w /app; chmod 755 /app/start

FROM ${OCTO_PYTHON_IMAGE}
ARG ARM
ARG PORT
ARG OCTO_COMMIT=unknown
ARG OCTO_STUB=true
RUN useradd --uid 1000 --user-group --no-create-home octollm
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /app /app
ENV ARM=${ARM} \
    PORT=${PORT} \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="OctoLLM ${ARM} arm" \
      org.opencontainers.image.source="https://github.com/doublegate/OctoLLM" \
      org.opencontainers.image.revision="${OCTO_COMMIT}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      octollm.stub="${OCTO_STUB}"
USER 1000:1000
WORKDIR /app/services/arms/${ARM}
EXPOSE ${PORT}
HEALTHCHECK --interval=30s --timeout=10s --retries=3 --start-period=10s \
    CMD ["python3", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['PORT']}/health\", timeout=8)"]
ENTRYPOINT ["/app/start"]
