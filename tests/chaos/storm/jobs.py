"""What runs in the storm, and what must be the same of it whatever happened meanwhile: the smallest real search, training and tuning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.dna_engine.runs import TINY_NETWORK
from tests.e2e.service import TINY

#: By the route that takes them; what each says besides is filled in by :func:`spec_of`.
SPECS: Mapping[str, dict[str, Any]] = {
    "searches": TINY
    | {
        "teacher": {"model": "lcnet_050", "epochs": 1},
        "select": {"finalists": 0},
        "retrain": {"epochs": 1, "batch_size": 128, "control": False},
    },
    # Its files are called as it is, and what nobody has named is called otherwise than what there is.
    "trainings": {"name": "trained", "dataset": "digits", "epochs": 3, "batch_size": 64},
    "tunings": {"dataset": "digits", "epochs": 1, "batch_size": 128, "trials": 2, "pruner": "none"},
}

NETWORK = {"architecture": TINY_NETWORK.to_json()}

#: What the results are, as queries by job; ids, places and durations differ from run to run.
_RESULTS = {
    "ratings and networks": """
        SELECT name, CASE WHEN name !~ '(training\\.json|export\\.json|bundle\\.zip)$' THEN sha256 END
        FROM artifacts WHERE job_id = :job AND name NOT LIKE 'checkpoints/%' ORDER BY name
    """,
    "selected": """
        SELECT role, architecture, loss, flops, params, counted_flops, counted_params, test_accuracy
        FROM architectures WHERE search_id = :job ORDER BY role
    """,
    "trained": "SELECT network, test_accuracy FROM trainings WHERE job_id = :job ORDER BY network",
    "tried": """
        SELECT key, payload -> 'trial' -> 'params', values -> 'state', values -> 'value'
        FROM steps WHERE job_id = :job AND kind = 'trial' ORDER BY key
    """,
    "series": "SELECT series, x, y FROM metrics WHERE job_id = :job AND series NOT LIKE '%second%' ORDER BY series, x",
    "progress": "SELECT progress FROM jobs WHERE id = :job",
}


def spec_of(route: str, network: str) -> dict[str, Any]:
    """What to send to a route. ``network``: id of an architecture that trainings and tunings are of."""
    return SPECS[route] if route == "searches" else SPECS[route] | {"architecture": network}


def results_of(session: Session, job_id: UUID) -> dict[str, list[tuple[Any, ...]]]:
    """All that the job came to."""
    return {
        what: [tuple(row) for row in session.execute(text(query), {"job": job_id})] for what, query in _RESULTS.items()
    }
