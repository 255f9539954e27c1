"""What must hold before the first request is taken."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from api.auth import is_loopback
from api.errors import ConfigurationError
from api.resources import Resources
from api.settings import ApiSettings
from store import datasets, keys
from store.migrate import is_current
from store.scratch import remove_abandoned
from store.session import once_reached, transaction


def prepare(resources: Resources) -> None:
    """Waits for the database, checks it and the keys, puts the built-in datasets in, and removes what cut uploads left.

    Raises:
        ConfigurationError: the database does not answer or has another schema, or the door would stand open.
    """
    within = resources.settings.database_start_seconds
    try:
        once_reached(resources.engine, lambda _: _prepare_database(resources), within=within)
    except OperationalError as error:
        raise ConfigurationError(f"The database of DNA_DATABASE_URL does not answer: {error.orig}") from error
    remove_abandoned(resources.settings.datasets_dir)


def _prepare_database(resources: Resources) -> None:
    """Harmless when it is done again."""
    with transaction(resources.whole) as session:
        if not is_current(session.connection()):
            raise ConfigurationError("The database has another schema than this version expects. Run: dna migrate")
        _refuse_open_door(resources.settings, has_keys=keys.any_active(session))
        datasets.ensure_builtin(session)


def _refuse_open_door(settings: ApiSettings, *, has_keys: bool) -> None:
    if not has_keys and not is_loopback(settings.api_host):
        raise ConfigurationError(
            f"Whoever reaches {settings.api_host} would need a key, and there is none. Make one with: dna key create NAME"
        )
