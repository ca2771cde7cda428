# syntax=docker/dockerfile:1
# The base is named by tag, so that a rebuild brings its security fixes. To build from one exact
# image, pass BASE=python:3.12-slim@sha256:… with the digest that your registry shows for the tag.
# Nothing here is for one kind of processor: amd64 and arm64 are built alike.
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
WORKDIR /build
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/venv
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/runtime.txt
RUN python -m venv /opt/build
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY plugins plugins
RUN /opt/build/bin/pip wheel --no-cache-dir --no-build-isolation --no-deps --wheel-dir /build/dist .
RUN /opt/venv/bin/pip install --no-cache-dir --no-index --no-deps /build/dist/*.whl

FROM ${BASE}
# All that opsync writes is in /data; the root file system may be read-only. SQLite and Python put
# their temporary files where TMPDIR says.
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENV OPSYNC_CONFIG=/data/opsync.toml HOME=/data TMPDIR=/data
COPY --from=build /opt/venv /opt/venv
RUN mkdir -m 0750 /data && chown 65532:65532 /data
WORKDIR /data
VOLUME ["/data"]
# A number, so that an orchestrator can see that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM
# Healthy: the service answers on this machine, and so does its store. It contacts no vendor. For a
# job that ends, as `opsync sync`, pass --no-healthcheck.
HEALTHCHECK --interval=1m --timeout=10s --start-period=5m CMD ["python", "-m", "opsync.service.probe"]
ENTRYPOINT ["opsync"]
CMD ["serve"]
