# Two stages: packages are installed in the first, the second has no installer's leftovers and runs without rights.
FROM python:3.13-slim-bookworm AS packages

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes -r requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip


FROM python:3.13-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    ENV_FILE= \
    STATIC_ROOT=/srv/static \
    MEDIA_ROOT=/srv/media
RUN groupadd --system --gid 10001 eventhub \
    && useradd --system --uid 10001 --gid eventhub --no-create-home eventhub \
    && install -d -o eventhub -g eventhub /srv/media
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY . .
# The values are for this one command: the image holds no secret, and does not start without one.
RUN SECRET_KEY=only-for-collecting-static-files-in-the-image ALLOWED_HOSTS=localhost PAYMENT_GATEWAY=mock \
    DATABASE_URL=sqlite:////tmp/unused.sqlite3 \
    python manage.py collectstatic --no-input
USER 10001:10001
EXPOSE 8000
# It asks for a host that is served here: localhost may not be one.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; host = os.environ['ALLOWED_HOSTS'].split(',')[0].strip(' .'); \
r.urlopen(r.Request('http://localhost:8000/healthz', headers={'Host': host}), timeout=4)"]
CMD ["gunicorn", "--config=python:eventhub_config.gunicorn", "--bind=0.0.0.0:8000", "eventhub_config.wsgi"]
