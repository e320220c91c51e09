# The orchestrator.  Context: the installation directory; src/ is upstream's checkout with our edits.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
ARG OCTO_PYTHON_IMAGE=python:3.13.7-slim@sha256:5f55cdf0c5d9dc1a415637a5ccc4a9e18663ad203673173b8cda8f8dcacef689

FROM ${OCTO_PYTHON_IMAGE} AS packages
COPY images/requirements.txt /tmp/requirements.txt
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export PIP_CERT=/run/ca.crt; fi \
 && python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: --no-deps -r /tmp/requirements.txt
COPY images/start.sh /app/start
COPY images/quick_test.py /app/quick_test.py
COPY src/services/orchestrator/app /app/services/orchestrator/app
RUN chmod -R a+rX,go-w /app && chmod 755 /app/start

FROM ${OCTO_PYTHON_IMAGE}
ARG OCTO_COMMIT=unknown
RUN useradd --uid 1000 --user-group --no-create-home octollm
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
LABEL org.opencontainers.image.title="OctoLLM orchestrator" \
      org.opencontainers.image.source="https://github.com/doublegate/OctoLLM" \
      org.opencontainers.image.revision="${OCTO_COMMIT}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      octollm.stub="false"
USER 1000:1000
WORKDIR /app/services/orchestrator
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --retries=5 --start-period=40s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["/app/start"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
