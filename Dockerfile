# docker-compose.yml names the image, and may pin it by its digest.
ARG PYTHON_IMAGE=python:3.12-slim
FROM ${PYTHON_IMAGE}

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1

RUN useradd --create-home --uid 10001 moodmiles \
    && install --directory --owner=moodmiles --mode=700 /data

WORKDIR /app
COPY requirements.lock ./
# The lock is complete, build requirements included: nothing else is looked up.
RUN pip install --no-deps --require-hashes --only-binary=:all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY sync sync
COPY web web
COPY workers workers
COPY host host
RUN pip install --no-deps --no-build-isolation . && pip check

USER moodmiles
ENV MOODMILES_DATA_DIR=/data MOODMILES_HOST=0.0.0.0 MOODMILES_LOG_FORMAT=json
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["moodmiles"]
CMD ["web"]
