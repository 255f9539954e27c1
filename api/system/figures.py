"""What Prometheus is told of jobs, steps, workers and webhooks: read from the database when it asks, and so the same in every process of the API."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy.orm import Session

from dna_engine.disk import free, total
from dna_engine.plans import Kind
from dna_engine.plans.steps import CPU_QUEUE, device_queue
from store import statistics, tallies
from store.states import AttemptOutcome, JobKind
from store.tables import Worker
from store.tallies import Figure, Series
from store.workers import can_be_woken

_NAMES = {
    JobKind.SEARCH: "searches",
    JobKind.TRAINING: "trainings",
    JobKind.TUNING: "tunings",
    JobKind.CHECK: "checks",
    JobKind.TIMING: "timings",
}

#: Queues that are told of though nothing waits in them.
_QUEUES = (device_queue(1), CPU_QUEUE)


def of_projects(session: Session) -> Iterator[Metric]:
    """Jobs, steps and messages: of what the caller sees."""
    for kind, name in _NAMES.items():
        states = statistics.jobs_by_state(session, kind)
        yield _gauge(f"dna_{name}", f"{name.capitalize()} by state.", "state", states)
    waiting = dict.fromkeys(_QUEUES, 0) | statistics.waiting_steps(session)
    yield _gauge("dna_steps_waiting", "Queued steps by queue.", "queue", waiting)
    oldest = dict.fromkeys(waiting, 0.0) | statistics.oldest_waiting(session)
    yield _gauge(
        "dna_steps_waiting_oldest_seconds",
        "For how long the step that waits longest could have been taken, by queue.",
        "queue",
        oldest,
    )
    yield _gauge("dna_steps_running", "Steps that run, by kind.", "kind", statistics.running_steps(session))
    webhooks = {str(enabled).lower(): count for enabled, count in statistics.webhooks_by_state(session).items()}
    yield _gauge("dna_webhooks", "Webhooks, whether anything is sent to them.", "enabled", webhooks)
    messages = statistics.waiting_messages(session)
    yield GaugeMetricFamily("dna_webhook_messages_waiting", "Messages to webhooks that are due.", messages)


def of_workers(live: Iterable[Worker]) -> Iterator[Metric]:
    """Live workers, their devices and disks. Several that share a device or a disk have seen the same: the last one is believed."""
    seen = sorted(live, key=lambda worker: worker.last_seen_at)
    busy = {str(flag).lower(): sum((one.current_step_id is not None) is flag for one in seen) for flag in (True, False)}
    yield _gauge("dna_workers", "Live workers.", "busy", busy)
    queues = dict.fromkeys((*_QUEUES, *sorted({queue for worker in seen for queue in worker.queues})), 0)
    taking = {queue: sum(queue in worker.queues and can_be_woken(worker) for worker in seen) for queue in queues}
    yield _gauge(
        "dna_queue_workers", "Live workers that take steps of the queue and that Redis answers.", "queue", taking
    )
    yield from _devices({(worker.hostname, worker.device): worker for worker in seen})


def _devices(devices: Mapping[tuple[str, str], Worker]) -> Iterator[Metric]:
    told = (
        ("dna_device_memory_bytes", "Memory of the device of live workers.", "memory_bytes"),
        ("dna_device_memory_used_bytes", "What is taken of it, by whatever runs there.", "memory_used_bytes"),
        ("dna_device_utilization_ratio", "How busy the device is, 0 to 1, by whatever runs there.", "utilization"),
    )
    for name, says, attribute in told:
        family = GaugeMetricFamily(name, says, labels=["hostname", "device"])
        for place, worker in devices.items():
            if (value := getattr(worker, attribute)) is not None:
                family.add_metric(place, value)
        yield family


def of_disks(live: Iterable[Worker], folders: Mapping[str, Path | None]) -> Iterator[Metric]:
    """Room on the disks of the workers' data, and of this process's folders, of those that are on this machine."""
    told = [(one.hostname, one.disk_bytes, one.disk_free_bytes) for one in live]
    disks = {(host, "data"): (size, left) for host, size, left in told if size is not None and left is not None}
    here = platform.node()
    disks |= {(here, name): (total(folder), free(folder)) for name, folder in folders.items() if folder is not None}
    families = ("dna_disk_bytes", "Of the disk of a folder."), ("dna_disk_free_bytes", "What is left of it.")
    for place, (name, says) in enumerate(families):
        family = GaugeMetricFamily(name, says, labels=["hostname", "folder"])
        for where, room in disks.items():
            family.add_metric(where, room[place])
        yield family


def of_tallies(session: Session) -> Iterator[Metric]:
    """What has happened since the database was made, in all projects."""
    read = tallies.read(session)
    for figure, series in read.items():
        yield _histogram(figure, series) if figure.bounds else _counter(figure, series)
    attempts = read[tallies.STEP_SECONDS]
    lost = CounterMetricFamily("dna_leases_lost", "Attempts whose worker was lost.", labels=["kind"])
    for kind in Kind:
        gone = attempts.get((kind, AttemptOutcome.LOST))
        lost.add_metric([kind], gone.count if gone else 0)
    yield lost


def _histogram(figure: Figure, series: Mapping[tuple[str, ...], Series]) -> Metric:
    family = HistogramMetricFamily(figure.name, figure.says, labels=figure.labels)
    for labels, one in series.items():
        family.add_metric(labels, _cumulative(figure, one), one.total)
    return family


def _cumulative(figure: Figure, series: Series) -> list[tuple[str, float]]:
    """How often it was at most each bound. What was counted under bounds of an earlier version is in the next that there is now."""
    bounds = (*figure.bounds, math.inf)
    return [(_written(bound), sum(count for at, count in series.buckets.items() if at <= bound)) for bound in bounds]


def _written(bound: float) -> str:
    return "+Inf" if bound == math.inf else str(bound)


def _counter(figure: Figure, series: Mapping[tuple[str, ...], Series]) -> Metric:
    family = CounterMetricFamily(figure.name, figure.says, labels=figure.labels)
    for labels, one in series.items():
        family.add_metric(labels, one.count)
    return family


def _gauge(name: str, says: str, label: str, values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label])
    for value, count in values.items():
        family.add_metric([str(value)], count)
    return family
