# The API, the migrations and the backups: no torch, a few hundred megabytes.
FROM python:3.11.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY api api
COPY dna_client dna_client
COPY dna_engine dna_engine
COPY migrations migrations
COPY store store
COPY worker worker
RUN pip install --constraint constraints.txt '.[api,backup,otel,s3,parquet]' \
    && useradd --create-home --uid 10001 dna && mkdir /data && chown dna:dna /data
USER dna
VOLUME /data
EXPOSE 8000
CMD ["python", "-m", "api", "--host", "0.0.0.0", "--port", "8000"]
