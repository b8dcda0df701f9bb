# The worker in an image: one binary, not root.
#
#   docker build -t salesforce-connector .
#   docker run --rm -e CAMUNDA_GRPC_ADDRESS=http://zeebe:26500 salesforce-connector
#
# Secrets come at run time: as SECRET_* variables, or as files in a mounted directory that
# SALESFORCE_CONNECTOR_SECRETS__DIRECTORY names. None belongs in a build argument.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin salesforce-connector

# Has the C library that the binary was linked against; the certificate authorities and a user come on top.
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin connector
COPY --from=build /src/target/release/salesforce-connector /usr/local/bin/salesforce-connector
COPY --from=build /src/LICENSE /usr/share/doc/salesforce-connector/LICENSE

# Probes come from outside the container; set this to nothing to have no such port.
ENV SALESFORCE_CONNECTOR_ADMIN__LISTEN=0.0.0.0:9464
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/usr/local/bin/salesforce-connector", "health"]

USER 10001
# The worker drains on SIGTERM; give it longer than worker.shutdown_grace (20 s) before it is killed.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/salesforce-connector"]
CMD ["run"]
