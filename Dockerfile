# One file, one image per service:
#
#   docker build --build-arg SERVICE=gateway -t parley/gateway:0.1.0 .      (gateway, auth, history or loadtest)
#
# What differs between the services (code, admin port, assets) is a stage of its own name; SERVICE picks it at the
# end, and BuildKit builds only the stages that lead there.
#
# A tag can be moved. For a release, pin the base by digest: `docker buildx imagetools inspect IMAGE` prints it, then
# write `python:3.13-slim-trixie@sha256:...` below. It is named once, so all stages move together.
ARG SERVICE

FROM docker.io/library/python:3.13-slim-trixie AS python
WORKDIR /app


# The virtual environment, made from hashes only: the services', and OpenTelemetry's SDK, which stays on the disk until
# OTEL_EXPORTER_OTLP_ENDPOINT asks for it. It gets no pip: nothing installs at run time.
FROM python AS dependencies
COPY requirements/tracing.txt requirements/
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install \
        --no-cache-dir --no-compile --require-hashes -r requirements/tracing.txt \
    # Bytecode without dates: a read-only container starts fast, and equal inputs give equal files.
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib


# The chat page with socket.io-client, which npm checks against package-lock.json.
FROM python AS page
COPY requirements/node.txt requirements/
RUN python -m venv --without-pip /opt/node \
 && pip --python /opt/node/bin/python install --no-cache-dir --require-hashes -r requirements/node.txt
COPY web web
# npm trusts whom the system trusts, as pip does: behind a proxy that looks into TLS, a base image with its authority is enough.
RUN NODE_OPTIONS=--use-system-ca /opt/node/bin/python -B -m web.build \
    # Everything left is public.
 && rm -rf web/node_modules web/*.py web/package.json web/package-lock.json web/.npmrc


FROM python AS service
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=dependencies /opt/venv /opt/venv
COPY wire wire
COPY runtime runtime
COPY services/__init__.py services/
# A number, because Kubernetes' runAsNonRoot cannot look a name up. The user owns none of the code.
USER 10001:10001
# Liveness only: a service that waits for NATS is unready, and restarting it would not help.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['ADMIN_PORT']}/livez\", timeout=2)"]


FROM service AS gateway
ENV PORT=8080 ADMIN_PORT=9080
COPY services/gateway services/gateway
COPY --from=page /app/web web
# Served with DOCS=1.
COPY docs/openapi.yaml docs/asyncapi.yaml docs/
COPY docs/pages docs/pages
EXPOSE 8080 9080
ENTRYPOINT ["python", "-m", "services.gateway"]


FROM service AS auth
ENV ADMIN_PORT=9090
# A new named volume takes the owner of the directory it covers: `rotate` and runtime.credentials can write there without
# being root. nats-server, which is another user, reads the public halves.
USER 0
RUN install -d -m 0755 -o 10001 -g 10001 /var/lib/parley/credentials/nats \
 && install -d -m 0700 -o 10001 -g 10001 /var/lib/parley/keys \
        /var/lib/parley/credentials/gateway /var/lib/parley/credentials/auth \
        /var/lib/parley/credentials/history /var/lib/parley/credentials/admin /var/lib/parley/credentials/mongo \
        /var/lib/parley/credentials/grafana
USER 10001:10001
COPY services/auth services/auth
EXPOSE 9090
ENTRYPOINT ["python", "-m", "services.auth"]


FROM service AS history
ENV ADMIN_PORT=9091
COPY services/history services/history
EXPOSE 9091
ENTRYPOINT ["python", "-m", "services.history"]


# Users and their judge, with what signs their tokens. No service: it has no admin port, and ends.
FROM dependencies AS loadtest-dependencies
COPY requirements/loadtest.txt requirements/
RUN pip --python /opt/venv/bin/python install --no-cache-dir --require-hashes -r requirements/loadtest.txt


FROM service AS loadtest
COPY --from=loadtest-dependencies /opt/venv /opt/venv
COPY services/auth services/auth
COPY deploy/__init__.py deploy/
COPY deploy/local deploy/local
COPY checker checker
# Without bench/ (.dockerignore), which measures on one machine.
COPY loadtests loadtests
# A new named volume takes the owner of the folder that it covers.
USER 0
RUN install -d -m 0755 -o 10001 -g 10001 loadtests/results
USER 10001:10001
# Fonts are looked up once; the rest of the file system is read-only.
ENV MPLCONFIGDIR=/tmp/matplotlib
HEALTHCHECK NONE
ENTRYPOINT ["python", "-m", "loadtests.container"]


FROM ${SERVICE}
# For the metric parley_build_info. Last, so that a commit which changes nothing else leaves all layers as they are.
ARG REVISION=unknown
ENV REVISION=$REVISION
