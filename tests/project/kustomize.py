"""Reads what of kustomize's files the manifests use, so that no kustomize is needed: resources, components, patches by name, images, a ConfigMap.

Anything else in a kustomization is refused rather than passed over.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]

#: By which field entries of a list are told apart, as in Kubernetes' own merging.
_KEYS = {"containers": "name", "initContainers": "name", "volumes": "name", "env": "name", "volumeMounts": "mountPath"}
_KNOWN = {
    "apiVersion",
    "kind",
    "namespace",
    "labels",
    "resources",
    "components",
    "patches",
    "images",
    "configMapGenerator",
}


def kustomization(folder: Path) -> Manifest:
    read: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(read) <= _KNOWN, f"{folder}: {set(read) - _KNOWN} is not read here"
    return read


def named_by(folder: Path) -> set[Path]:
    """The files and folders that a kustomization names."""
    read = kustomization(folder)
    paths = [
        *read.get("resources", []),
        *read.get("components", []),
        *(patch["path"] for patch in read.get("patches", [])),
    ]
    paths += [name for maps in read.get("configMapGenerator", []) for name in maps.get("envs", [])]
    return {(folder / path).resolve() for path in paths}


def rendered(folder: Path) -> list[Manifest]:
    """What would be applied, but for namespaces and the ends of names of ConfigMaps."""
    read = kustomization(folder)
    found: list[Manifest] = []
    for name in [*read.get("resources", []), *read.get("components", [])]:
        path = folder / name
        found += rendered(path) if path.is_dir() else documents(path)
    for maps in read.get("configMapGenerator", []):
        _configure(found, folder, maps)
    for patch in read.get("patches", []):
        [change] = documents(folder / patch["path"])
        [index] = [place for place, one in enumerate(found) if identity(one) == identity(change)]
        found[index] = merged(found[index], change)
    for image in read.get("images", []):
        for container in (container for one in found for container in containers(one)):
            if container["image"].partition(":")[0] == image["name"]:
                container["image"] = f"{image['name']}:{image['newTag']}"
    return found


def documents(path: Path) -> list[Manifest]:
    # Anchors make one object of several places; each is to be changed by itself.
    return [deepcopy(yaml.safe_load(yaml.dump(one, Dumper=_Plain))) for one in yaml.safe_load_all(path.read_text())]


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def identity(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def pod(manifest: Manifest) -> Manifest | None:
    """The pods that a workload makes."""
    spec: Manifest = manifest.get("spec", {})
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    found: Manifest | None = spec.get("template", {}).get("spec")
    return found


def containers(manifest: Manifest) -> list[Manifest]:
    spec = pod(manifest) or {}
    return [*spec.get("initContainers", []), *spec.get("containers", [])]


def merged(old: Any, new: Any, key: str = "") -> Any:
    """A strategic merge patch."""
    if isinstance(old, dict) and isinstance(new, dict):
        result = {name: value for name, value in old.items() if new.get(name, value) is not None}
        for name, value in new.items():
            if value is not None:
                result[name] = merged(result.get(name), value, name)
        return result
    if isinstance(old, list) and isinstance(new, list) and key in _KEYS:
        by = _KEYS[key]
        changes = {entry[by]: entry for entry in new}
        kept = [merged(entry, changes.pop(entry[by])) if entry[by] in changes else entry for entry in old]
        if key == "volumes":  # Another source takes the place of the one before.
            kept = [
                entry if entry[by] not in {one[by] for one in new} else next(one for one in new if one[by] == entry[by])
                for entry in kept
            ]
        return [*changes.values(), *kept]
    return new


def _configure(found: list[Manifest], folder: Path, maps: Manifest) -> None:
    lines = [line for name in maps.get("envs", []) for line in (folder / name).read_text().splitlines()]
    data = dict(line.split("=", 1) for line in [*lines, *maps.get("literals", [])] if not line.startswith("#"))
    if maps.get("behavior") == "merge":
        [existing] = [one for one in found if identity(one) == ("ConfigMap", maps["name"])]
        existing["data"] |= data
    else:
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": maps["name"]}, "data": data})
