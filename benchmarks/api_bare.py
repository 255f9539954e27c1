"""Bare FastAPI routes over the rows of a search and over the list: what the same answers cost without a service around them.

No key is looked at, nothing is validated, nothing is counted; uvicorn logs each request, as the service does. One statement answers.
``/searches`` returns what it gives, which FastAPI writes as JSON; ``/written/searches`` has PostgreSQL write the JSON and sends that as
it comes, so that Python reads no row: no route costs less. Run as ``python -m benchmarks.api_bare URL PORT``.
"""

from __future__ import annotations

import logging
import sys
from typing import Annotated, Any
from uuid import UUID

from fastapi import FastAPI, HTTPException, Query, Response
from sqlalchemy import Engine, TextClause, create_engine, text

from api.server import run
from store.session import driver_url

_COLUMNS = {
    **{
        name: f"j.{name}"
        for name in ("id", "name", "state", "phase", "progress", "eta_seconds", "dataset", "seed", "labels")
    },
    **{name: f"j.{name}" for name in ("error", "cancel_requested", "created_at", "started_at", "finished_at")},
    "teacher": "j.resolved -> 'teacher' ->> 'model'",
    "budget": "j.resolved -> 'budget'",
    "best": "s.best",
    "control_accuracy": "s.control_accuracy",
}
_SUMMARY = ", ".join(f"'{name}', {column}" for name, column in _COLUMNS.items())

ONE = text(f"""
    SELECT json_build_object({_SUMMARY}, 'spec', j.resolved,
        'steps', (SELECT json_agg(json_build_object(
            'id', t.id, 'key', t.key, 'kind', t.kind, 'phase', t.phase, 'queue', t.queue, 'state', t.state,
            'attempt', t.attempt, 'max_attempts', t.max_attempts, 'cells', t.payload -> 'cells',
            'network', t.payload -> 'network', 'done', t.done, 'total', t.total, 'unit', t.unit, 'parts', t.parts,
            'eta_seconds', t.eta_seconds, 'engine_seconds', t.engine_seconds, 'device', t.device, 'values', t.values,
            'error', t.error, 'queued_at', t.queued_at, 'started_at', t.started_at, 'finished_at', t.finished_at
        ) ORDER BY t.id) FROM steps t WHERE t.job_id = j.id),
        'architectures', (SELECT json_agg(json_build_object(
            'id', a.id, 'role', a.role, 'name', a.name, 'loss', a.loss, 'flops', a.flops, 'params', a.params,
            'test_accuracy', a.test_accuracy, 'test', r.values -> 'test', 'by_class', r.values -> 'by_class'
        ) ORDER BY a.id) FROM architectures a LEFT JOIN trainings r ON r.architecture_id = a.id AND r.job_id = j.id
        WHERE a.search_id = j.id)
    ) FROM jobs j JOIN searches s USING (id) WHERE j.id = :id
""")

ROWS = f"""
    SELECT {", ".join(f"{column} AS {name}" for name, column in _COLUMNS.items())} FROM jobs j JOIN searches s USING (id)
    WHERE j.kind = 'search' ORDER BY j.id DESC LIMIT :limit
"""

#: The same as one text.
ONE_WRITTEN = text(f"SELECT ({ONE.text})::text")
LIST_WRITTEN = text(f"""
    SELECT json_build_object('items', coalesce(json_agg(json_build_object({_SUMMARY})), '[]'), 'next', min(j.id::text))::text
    FROM (SELECT j.* FROM jobs j WHERE j.kind = 'search' ORDER BY j.id DESC LIMIT :limit) j JOIN searches s USING (id)
""")

Limit = Annotated[int, Query(ge=1, le=200)]


def bare(engine: Engine) -> FastAPI:
    """The routes."""
    app = FastAPI()

    def scalar(statement: TextClause, **values: Any) -> Any:
        with engine.connect() as connection:
            found = connection.execute(statement, values).scalar()
        if found is None:
            raise HTTPException(404)
        return found

    @app.get("/searches")
    def listing(limit: Limit = 50) -> dict[str, Any]:
        with engine.connect() as connection:
            rows = [dict(row) for row in connection.execute(text(ROWS), {"limit": limit}).mappings()]
        return {"items": rows, "next": rows[-1]["id"]}

    @app.get("/searches/{search_id}")
    def one(search_id: UUID) -> dict[str, Any]:
        found: dict[str, Any] = scalar(ONE, id=search_id)
        return found

    @app.get("/written/searches")
    def written_listing(limit: Limit = 50) -> Response:
        return Response(scalar(LIST_WRITTEN, limit=limit), media_type="application/json")

    @app.get("/written/searches/{search_id}")
    def written_one(search_id: UUID) -> Response:
        return Response(scalar(ONE_WRITTEN, id=search_id), media_type="application/json")

    return app


def main() -> None:
    url, port = sys.argv[1:]
    engine = create_engine(driver_url(url), pool_size=40, isolation_level="AUTOCOMMIT")
    logging.basicConfig(level=logging.INFO)
    run(bare(engine), host="127.0.0.1", port=int(port), access_log=True)


if __name__ == "__main__":
    main()
