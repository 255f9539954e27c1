"""What the service keeps: tables, repositories, state transitions, artifacts. PostgreSQL through SQLAlchemy, files through fsspec."""
