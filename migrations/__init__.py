"""Alembic migrations. ``store.migrate`` runs them; ``alembic -c migrations/alembic.ini`` writes new ones."""
