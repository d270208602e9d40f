# One image for all commands of `main.py`. BASE needs Python 3.11 or newer with `venv`. Both stages
# must use the same base.
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS build
WORKDIR /srv/clinic
COPY requirements.lock ./
RUN python3 -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --no-compile \
      --require-hashes -r requirements.lock \
 && .venv/bin/python -m pip uninstall --yes --quiet pip setuptools \
 && find .venv -type d -name tests -prune -exec rm -rf {} +
COPY main.py pyproject.toml ./
COPY api api/
COPY data data/
COPY models models/
# Compiled at build time, because the user of the container cannot write here.
RUN python3 -m compileall -q .

FROM ${BASE}
# More packages of the base's distribution. Backups of PostgreSQL need `postgresql-client`.
ARG PACKAGES=
# hadolint ignore=DL3008,SC2086
RUN if [ -n "${PACKAGES}" ]; then \
      apt-get update && apt-get install --yes --no-install-recommends ${PACKAGES} \
      && rm -rf /var/lib/apt/lists/*; \
    fi \
 && mkdir -p /data /keys /backups \
 && chown 10001:10001 /data /keys /backups \
 && chmod 0700 /data /keys /backups
COPY --from=build /srv/clinic /srv/clinic
WORKDIR /srv/clinic
ENV PATH=/srv/clinic/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    CLINIC_ENVIRONMENT=production \
    CLINIC_HOST=0.0.0.0 \
    CLINIC_PORT=8000 \
    CLINIC_DATABASE_URL=sqlite:////data/clinic.db \
    CLINIC_KEYRING_FILE=/keys/keyring.json \
    CLINIC_BACKUP_DIR=/backups
USER 10001:10001
VOLUME ["/data", "/keys", "/backups"]
EXPOSE 8000
# Checks only that the process answers: a restart does not help if the database is unreachable.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
  "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CLINIC_PORT\"]}/health/live', timeout=2)"]
ENTRYPOINT ["python", "main.py"]
CMD ["serve"]
