"""The manifests of deploy/kubernetes, checked without a cluster: against Kubernetes' own schemas, and the rules a deployment relies on."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from prometheus_client.metrics_core import GaugeMetricFamily
from sqlalchemy.orm import Session

from api.settings import ApiSettings
from api.system import figures, health
from dna_engine.plans import CPU_KINDS
from dna_engine.plans.steps import device_queue
from store.__main__ import _parser
from store.settings import Settings
from tests.project.kustomize import Manifest, containers, identity, kustomization, named_by, pod, rendered
from worker.__main__ import LEAVE_SECONDS
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "deploy/kubernetes"
BASE = MANIFESTS / "base"
OVERLAYS = [BASE, *sorted((MANIFESTS / "overlays").iterdir())]
#: The newest that the checker knows, and the oldest that has all that is used.
VERSIONS = ("1.29", "1.37")
#: Variables that are not ours: of the libraries that the workers load, and of the object store.
OTHERS = {
    "HOME",
    "OMP_NUM_THREADS",
    "HF_HOME",
    "TORCH_HOME",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
}
SERVERS = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}
#: Kinds that the operators of KEDA and Prometheus bring, which have their own tests below.
CUSTOM = {"ScaledObject", "ServiceMonitor"}


@cache
def all_manifests() -> list[Manifest]:
    """To be read only."""
    return [manifest for overlay in OVERLAYS for manifest in rendered(overlay)]


def of(overlay: str, kind: str, name: str) -> Manifest:
    folder = BASE if overlay == "base" else MANIFESTS / "overlays" / overlay
    [found] = [one for one in rendered(folder) if identity(one) == (kind, name)]
    return found


def ours(manifest: Manifest) -> bool:
    return any(container["image"].startswith("dna-automl-") for container in containers(manifest))


@pytest.mark.parametrize("version", VERSIONS)
def test_follow_the_schemas_of_kubernetes(version: str) -> None:
    distinct = {yaml.dump(manifest): manifest for manifest in all_manifests() if manifest["kind"] not in CUSTOM}
    for manifest in distinct.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_manifest_is_refused() -> None:
    """What the check above rests on."""
    manifest = of("base", "Deployment", "api")
    manifest["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_every_file_is_named_and_every_name_is_there() -> None:
    folders = [path.parent for path in MANIFESTS.rglob("kustomization.yaml")]
    named = set().union(*map(named_by, folders))
    assert [path for path in named if not path.exists()] == []
    files = {path.resolve() for path in MANIFESTS.rglob("*") if path.suffix in (".yaml", ".env")}
    assert files - named == {(folder / "kustomization.yaml").resolve() for folder in folders}
    components = set((MANIFESTS / "components").iterdir())
    assert {path.resolve() for path in components} <= named
    assert all((kustomization(path)["kind"] == "Component") is (path in components) for path in folders)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_kustomize_makes_the_same_of_them(overlay: Path) -> None:
    """Where there is one: the reader that these tests use is a small one of our own."""
    program = shutil.which("kustomize") or shutil.which("kubectl")
    if program is None:
        pytest.skip("neither kustomize nor kubectl is here")
    verb = "kustomize" if Path(program).name == "kubectl" else "build"
    made = subprocess.run([program, verb, str(overlay)], capture_output=True, text=True, check=True).stdout
    theirs = {_plain(one): one for one in yaml.safe_load_all(made)}
    mine = {_plain(one): one for one in rendered(overlay)}
    assert set(theirs) == set(mine)
    for name, manifest in mine.items():
        assert containers(theirs[name]) == _with_names(containers(manifest), theirs), name
        assert theirs[name].get("spec", {}).get("replicas") == manifest.get("spec", {}).get("replicas")


def _plain(manifest: Manifest) -> tuple[str, str]:
    """Names of ConfigMaps end in a digest of what they hold."""
    kind, name = identity(manifest)
    return kind, re.sub(r"-[a-z0-9]{10}$", "", name) if kind == "ConfigMap" else name


def _with_names(found: list[Manifest], theirs: dict[tuple[str, str], Manifest]) -> list[Manifest]:
    full = theirs["ConfigMap", "dna"]["metadata"]["name"]
    for container in found:
        for source in container.get("envFrom", []):
            source["configMapRef"]["name"] = full
    return found


def test_every_variable_is_a_setting() -> None:
    models = (Settings, ApiSettings, WorkerSettings)
    known = {f"DNA_{name.upper()}" for model in models for name in model.model_fields}
    for manifest in all_manifests():
        given = set(manifest.get("data", {})) if manifest["kind"] == "ConfigMap" else set()
        given |= {entry["name"] for container in containers(manifest) for entry in container.get("env", [])}
        assert given <= known | OTHERS | (set() if ours(manifest) else SERVERS), identity(manifest)


def test_settings_are_taken_as_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in of("gpu", "ConfigMap", "dna")["data"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DNA_DEVICE", "cuda")
    assert WorkerSettings().data_dir == ApiSettings().data_dir == Path("/data")


def test_images_are_those_of_compose_and_pinned() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    known = {service["image"] for service in compose["services"].values()}
    used = {container["image"] for manifest in all_manifests() for container in containers(manifest)}
    assert used <= known
    assert known - used == {compose["services"]["serve"]["image"]}


def test_what_is_secret_is_named_and_never_written() -> None:
    for manifest in all_manifests():
        assert manifest["kind"] != "Secret"
        for container in containers(manifest):
            for entry in container.get("env", []):
                if re.search(r"PASSWORD|URL|KEY", entry["name"]):
                    assert set(entry) == {"name", "valueFrom"}, entry
                    assert "secretKeyRef" in entry["valueFrom"]
    written = "\n".join(path.read_text() for path in MANIFESTS.rglob("*.*"))
    assert not re.search(r"://[^/\s]*:[^/\s]*@", written)


def test_containers_may_do_nothing_that_they_need_not() -> None:
    for manifest in all_manifests():
        if (spec := pod(manifest)) is None:
            continue
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in manifest["spec"].get("volumeClaimTemplates", [])}
        for container in containers(manifest):
            limits = container["securityContext"]
            assert limits["allowPrivilegeEscalation"] is False
            assert limits["readOnlyRootFilesystem"] is True
            assert limits["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
        if ours(manifest):
            template = manifest["spec"].get("jobTemplate", manifest)["spec"]["template"]
            assert (
                template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "dna-automl"
            )  # Whom network policies are for.
            made_as = re.search(r"--uid (\d+)", (ROOT / "docker/api.Dockerfile").read_text())
            assert made_as
            assert spec["securityContext"]["runAsUser"] == int(made_as[1])


def test_commands_exist() -> None:
    for manifest in all_manifests():
        for container in containers(manifest) if ours(manifest) else []:
            python, flag, package, *arguments = container["command"]
            assert (python, flag) == ("python", "-m")
            assert (ROOT / package / "__main__.py").exists()
            image = container["image"].partition(":")[0].removeprefix("dna-automl-")
            assert f"COPY {package} " in (ROOT / f"docker/{image}.Dockerfile").read_text()
            if package == "store":
                _parser().parse_args(arguments)


def test_probes_ask_routes_that_need_no_key() -> None:
    [api] = pod(of("base", "Deployment", "api"))["containers"]  # type: ignore[index]
    routes = {getattr(route, "path", None) for route in health.router.routes}
    ports = {port["name"]: port["containerPort"] for port in api["ports"]}
    for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        asked = api[probe]["httpGet"]
        assert asked["path"] == path
        assert path in routes
        assert str(ports[asked["port"]]) in api["command"]
    assert api["readinessProbe"]["timeoutSeconds"] >= 10  # docs/deployment.md: what PostgreSQL may take.


def test_ports_lead_from_the_ingress_to_the_pods() -> None:
    [rule] = of("complete", "Ingress", "api")["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    service = of("base", "Service", backend["name"])
    [port] = [port for port in service["spec"]["ports"] if port["name"] == backend["port"]["name"]]
    pods = of("base", "Deployment", "api")["spec"]["template"]
    assert service["spec"]["selector"].items() <= pods["metadata"]["labels"].items()
    [listening] = [one for one in pods["spec"]["containers"][0]["ports"] if one["name"] == port["targetPort"]]
    [opened] = of("base", "NetworkPolicy", "api-in")["spec"]["ingress"]
    assert opened["ports"] == [{"port": listening["containerPort"], "protocol": "TCP"}]


def test_streams_of_events_pass_the_ingress() -> None:
    said = of("complete", "Ingress", "api")["metadata"]["annotations"]
    said = {name.removeprefix("nginx.ingress.kubernetes.io/"): value for name, value in said.items()}
    assert said["proxy-buffering"] == "off"
    assert float(said["proxy-read-timeout"]) > 2 * ApiSettings.model_fields["events_ping_seconds"].default
    assert said["proxy-body-size"] == f"{ApiSettings.model_fields['max_upload_bytes'].default >> 30}g"


@pytest.mark.parametrize("name", ["worker-cpu", "worker-gpu"])
def test_a_worker_has_time_for_its_checkpoint_and_room_for_its_batches(name: str) -> None:
    spec = of("gpu", "Deployment", name)["spec"]["template"]["spec"]
    grace = float(of("gpu", "ConfigMap", "dna")["data"]["DNA_STOP_GRACE_SECONDS"])
    assert spec["terminationGracePeriodSeconds"] >= grace + LEAVE_SECONDS + 10
    [shared] = [volume for volume in spec["volumes"] if volume["name"] == "shm"]
    assert shared["emptyDir"]["medium"] == "Memory"
    assert {"name": "shm", "mountPath": "/dev/shm"} in spec["containers"][0]["volumeMounts"]
    assert spec["initContainers"][0]["command"][-2] == "--wait"


def test_a_worker_has_one_gpu_to_itself() -> None:
    deployment = of("gpu", "Deployment", "worker-gpu")["spec"]
    [worker] = deployment["template"]["spec"]["containers"]
    for kind in ("requests", "limits"):
        assert worker["resources"][kind]["nvidia.com/gpu"] == 1
    assert {"name": "DNA_DEVICE", "value": "cuda"} in worker["env"]
    assert deployment["strategy"] == {"type": "Recreate"}


def test_workers_without_gpus_have_cores_of_their_own() -> None:
    deployment = of("cpu", "Deployment", "worker-cpu")["spec"]
    pod = deployment["template"]["spec"]
    [worker] = pod["containers"]
    assert deployment["replicas"] > 1
    assert worker["command"] == ["python", "-m", "worker"], "of both queues"
    assert {"name": "DNA_DEVICE", "value": "cpu"} in worker["env"]
    for container in (*pod["initContainers"], worker):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert {name: requests[name] for name in ("cpu", "memory")} == limits, "the class Guaranteed asks it of all"
    [threads] = [entry for entry in worker["env"] if entry["name"] == "OMP_NUM_THREADS"]
    assert threads["valueFrom"] == {"resourceFieldRef": {"resource": "limits.cpu"}}
    assert limits["cpu"].isdecimal(), "whole cores: a half would be a thread"


@pytest.mark.parametrize("overlay", ["keda", "hpa"])
def test_who_scales_says_how_many(overlay: str) -> None:
    assert "replicas" not in of(overlay, "Deployment", "worker-gpu")["spec"]


def test_keda_scales_by_fields_that_it_knows() -> None:
    """Those of KEDA 2.17's ScaledObject and its Prometheus scaler that are used here; no schema of it travels with the tests."""
    spec = of("keda", "ScaledObject", "worker-gpu")["spec"]
    top = {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "cooldownPeriod", "fallback"}
    assert set(spec) == top | {"advanced", "triggers"}
    assert spec["fallback"].keys() == {"failureThreshold", "replicas", "behavior"}
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    plain = of("hpa", "HorizontalPodAutoscaler", "worker-gpu")  # Whose schema has been checked.
    assert behavior == plain["spec"]["behavior"]
    [trigger] = spec["triggers"]
    assert trigger["type"] == "prometheus"
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    asked = {"serverAddress", "query", "threshold", "activationThreshold", "ignoreNullValues"}
    assert set(trigger["metadata"]) == asked
    assert trigger["metadata"]["ignoreNullValues"] == "false"  # No answer is no reason to send everybody home.
    assert spec["scaleTargetRef"]["name"] == "worker-gpu"


def test_autoscalers_ask_for_metrics_that_there_are(session: Session) -> None:
    query = " ".join(of("keda", "ScaledObject", "worker-gpu")["spec"]["triggers"][0]["metadata"]["query"].split())
    offered = figures.of_projects(session)
    families = {metric.name: metric._labelnames for metric in offered if isinstance(metric, GaugeMetricFamily)}
    used = dict(re.findall(r"(dna_\w+)\{(\w+)", query))
    assert used == {"dna_steps_waiting": "queue", "dna_steps_running": "kind"}
    assert f'queue="{device_queue(1)}"' in query
    [without_device] = re.findall(r'kind!~"([^"]+)"', query)
    assert set(without_device.split("|")) == CPU_KINDS, "what needs no device starts no GPU"
    assert {name: families[name] for name in used} == {name: (label,) for name, label in used.items()}
    rule = (MANIFESTS / "overlays/hpa/autoscaler.yaml").read_text()
    assert query in rule
    named = re.search(r"as: (\w+)", rule)
    assert named
    [metric] = of("hpa", "HorizontalPodAutoscaler", "worker-gpu")["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == named[1]


def test_prometheus_finds_the_api() -> None:
    monitor = of("keda", "ServiceMonitor", "api")["spec"]
    service = of("base", "Service", "api")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    [endpoint] = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["path"] == "/metrics"
    assert set(endpoint["authorization"]["credentials"]) == {"name", "key"}


def test_settings_of_the_documents_quick_start_are_the_secrets_keys() -> None:
    """What the manifests ask of the Secret is what the document puts in."""
    documented = (ROOT / "docs/deployment.md").read_text()
    start = documented[documented.index("## Kubernetes") :]
    wanted: set[Any] = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for manifest in all_manifests()
        for container in containers(manifest)
        for entry in container.get("env", [])
        if "secretKeyRef" in entry.get("valueFrom", {})
    }
    assert wanted == set(re.findall(r"--from-literal=(\w+)=", start)) - {"key"} | {"AWS_ENDPOINT_URL"}


#: Says what it was asked, one call a line; of two Deployments, and of a ScaledObject where there is one.
KUBECTL = """#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in
    *"get scaledobject"*) echo "$SCALED" ;;
    *"get deployment --output name"*) printf 'deployment.apps/api\\ndeployment.apps/worker-cpu\\ndeployment.apps/worker-gpu\\n' ;;
    *jsonpath*) echo 0 ;;
esac
"""


@pytest.mark.parametrize("scaled", ["", "scaledobject.keda.sh/worker-gpu"], ids=["alone", "keda"])
def test_an_upgrade_sends_the_workers_home_first(scaled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of what is asked of a cluster; no cluster is asked here."""
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("SCALED", scaled)
    script = MANIFESTS / "upgrade.sh"
    subprocess.run([script, MANIFESTS / "overlays/keda"], check=True)
    asked = [call.removeprefix("--namespace dna ") for call in (tmp_path / "calls").read_text().splitlines()]
    changed = [call for call in asked if not call.startswith("get ")]
    pause, go_on = (
        f"annotate --overwrite {scaled} autoscaling.keda.sh/paused-replicas=0",
        f"annotate --overwrite {scaled} autoscaling.keda.sh/paused-replicas-",
    )
    workers = ["deployment.apps/worker-cpu", "deployment.apps/worker-gpu"]
    home = [f"scale --replicas=0 {worker}" for worker in workers]
    back = [
        [*([] if scaled else [f"scale --replicas=1 {worker}"]), f"rollout status {worker} --timeout=900s"]
        for worker in workers
    ]
    assert changed == [
        *([pause] if scaled else []),
        *home,
        "wait --for=delete pod --selector dna-automl/role=worker --timeout=180s",
        f"apply -k {MANIFESTS / 'overlays/keda'}",
        "rollout status deployment/api --timeout=900s",
        *([go_on] if scaled else []),
        *back[0],
        *back[1],
    ]
