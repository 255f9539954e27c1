#!/bin/sh
# Brings a service of docker compose to the version of this checkout (git pull, or another tag, comes first), while searches run.
#   deploy/upgrade.sh              with the files of COMPOSE_FILE, as docker compose reads it
# Workers write checkpoints and leave, the schema is migrated, and API and workers start again: searches go on. For some seconds requests are answered with 503.
# Take a backup before (docs/operations.md). When it stops half-way, run it again: each part may be done twice.
set -eu
cd "$(dirname "$0")/.."

workers=$(docker compose config --services | grep '^worker')

docker compose build             # while all goes on
docker compose stop $workers     # nothing of the old version claims a step in the new schema
docker compose run --rm migrate
docker compose up -d --wait api $workers
