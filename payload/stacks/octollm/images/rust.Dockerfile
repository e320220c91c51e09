# The reflex layer or the executor.  Context: the installation directory; src/ is upstream's checkout
# with our edits.  Builder and last stage are of one generation of Debian: the same C library.
# /run/ca.crt, in lines that ask the network: the CA certificates that somebody named, or an empty file.
ARG OCTO_RUST_IMAGE=rust:1.91.1-slim@sha256:cef0ec962e08d8b5dcba05604189e5751c1bd3ec7d12db0a93e4215468d4ac4a
ARG OCTO_DEBIAN_IMAGE=debian:13.1-slim@sha256:a347fd7510ee31a84387619a492ad6c8eb0af2f2682b916ff3e643eb076f925a

FROM ${OCTO_RUST_IMAGE} AS build
ARG CRATE
WORKDIR /build
COPY src/Cargo.toml src/Cargo.lock ./
COPY src/shared/rust shared/rust
COPY src/services/reflex-layer services/reflex-layer
COPY src/services/arms/executor services/arms/executor
COPY images/start.sh /app/start
RUN --mount=type=secret,id=ca_bundle,target=/run/ca.crt \
    if [ -s /run/ca.crt ]; then export CARGO_HTTP_CAINFO=/run/ca.crt; fi \
 && cargo build --release --locked -p "${CRATE}" \
 && cp "target/release/${CRATE}" /app/program \
 && chmod 755 /app /app/start /app/program

FROM ${OCTO_DEBIAN_IMAGE}
ARG CRATE
ARG OCTO_COMMIT=unknown
RUN useradd --uid 1000 --user-group --no-create-home octollm
COPY --from=build /app /app
LABEL org.opencontainers.image.title="OctoLLM ${CRATE}" \
      org.opencontainers.image.source="https://github.com/doublegate/OctoLLM" \
      org.opencontainers.image.revision="${OCTO_COMMIT}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      octollm.stub="false"
USER 1000:1000
WORKDIR /app
# compose.yaml has the health check: the two answer at different places.
ENTRYPOINT ["/app/start"]
CMD ["/app/program"]
