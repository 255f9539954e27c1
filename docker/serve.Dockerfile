# The inference server of found networks: no torch, no API.
FROM python:3.11.13-slim-bookworm
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY dna_client dna_client
COPY dna_engine dna_engine
COPY serving serving
COPY store store
RUN pip install --constraint constraints.txt '.[serve,s3]' \
    && useradd --create-home --uid 10001 dna && mkdir /data && chown dna:dna /data
USER dna
VOLUME /data
EXPOSE 8080 8081
ENTRYPOINT ["python", "-m", "serving", "--host", "0.0.0.0"]
