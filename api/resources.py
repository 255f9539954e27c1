"""What the API holds while it runs: made when the app starts, closed when it stops, nothing at import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from anyio import CapacityLimiter
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from api.accepted import AcceptedKeys
from api.architectures.answerers import Answerers
from api.changes.watch import Watch
from api.errors import ConfigurationError
from api.gate import Gate
from api.jobs.feed import Feed
from api.jobs.waits import Waits
from api.kept import Kept
from api.queue import Queue
from api.rates import KeyRates, Rate
from api.searches.rated import RatedSearches
from api.settings import ApiSettings
from store.actors import NOBODY
from store.blobs import BlobStore
from store.room import DatabaseRoom
from store.session import Sessions, make_engine, make_sessions
from store.studies import Studies

#: Names that are looked up at once.
_LOOKUPS = 8


@dataclass(frozen=True)
class Resources:
    """Connections and caches, shared by all requests; each is safe to use from several threads, but for the gates and the limiter, which are
    of the event loop.

    Attributes:
        sessions: in which nobody's things are seen until it is said who acts; see ``store.actors``.
        reads: the same, but without transactions: they write nothing.
        whole: in which every project's are, for what serves all: the feed of events, the start.
    """

    settings: ApiSettings
    engine: Engine
    sessions: Sessions
    reads: Sessions
    whole: Sessions
    blobs: BlobStore
    studies: Studies
    redis: redis.Redis
    queue: Queue
    accepted: AcceptedKeys
    rated: RatedSearches
    feed: Feed
    watch: Watch
    waits: Waits
    kept: Kept
    heavy: Gate
    uploads: Gate
    predictions: Gate
    prediction_rate: Rate
    key_rates: KeyRates
    answerers: Answerers
    readiness: CapacityLimiter
    database_room: DatabaseRoom
    lookups: CapacityLimiter
    metrics: CollectorRegistry

    def end_streams(self) -> None:
        """All streams end: the process is about to."""
        self.feed.end()
        self.watch.end()


@contextmanager
def open_resources(settings: ApiSettings, metrics: CollectorRegistry) -> Iterator[Resources]:
    """Everything a running API needs.

    Raises:
        ConfigurationError: a server's address is not set.
    """
    if not settings.database_url or not settings.redis_url:
        raise ConfigurationError("Set DNA_DATABASE_URL and DNA_REDIS_URL, or start everything with: dna up")
    engine = make_engine(settings.database_url, settings.database_timeouts, pool_size=16)
    sessions, whole = make_sessions(engine, NOBODY), make_sessions(engine)
    blobs = BlobStore(settings.artifacts)
    studies = Studies(settings.database_url, settings.database_timeouts)
    client = redis.Redis.from_url(settings.redis_url, socket_timeout=2.0, socket_connect_timeout=2.0)
    queue = Queue(settings.redis_url, sessions)
    waits = Waits(whole, settings.worker_timeout)
    try:
        yield Resources(
            settings=settings,
            engine=engine,
            sessions=sessions,
            reads=make_sessions(engine.execution_options(isolation_level="AUTOCOMMIT"), NOBODY),
            whole=whole,
            blobs=blobs,
            studies=studies,
            redis=client,
            queue=queue,
            accepted=AcceptedKeys(settings.accepted_key_seconds),
            rated=RatedSearches(blobs, settings.problems_cached),
            feed=Feed(whole, settings),
            watch=Watch(whole, settings),
            waits=waits,
            kept=Kept(settings.answers_cached_bytes),
            heavy=Gate(settings.heavy_at_once, settings.heavy_waiting),
            uploads=Gate(settings.uploads_at_once, 0),
            predictions=Gate(settings.predictions_at_once, settings.uploads_at_once),
            key_rates=KeyRates(client),
            prediction_rate=Rate(client, "predictions", settings.predictions_per_minute),
            answerers=Answerers(blobs, settings.networks_cached_bytes),
            readiness=CapacityLimiter(1),
            database_room=DatabaseRoom(engine),
            lookups=CapacityLimiter(_LOOKUPS),
            metrics=metrics,
        )
    finally:
        waits.close()
        queue.close()
        client.close()
        studies.close()
        engine.dispose()
