"""Weights of one training where another begins: what is taken, and what that is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from dna_engine import pipeline
from dna_engine.errors import InvalidSpec
from dna_engine.images.info import DIGITS
from dna_engine.plans import Phase, files, plan_of
from dna_engine.plans.results import Trained
from dna_engine.spec import GivenWeights, ResolvedTraining, TrainingSpec, resolve_training
from dna_engine.training.network import build, groups_by_rate
from dna_engine.training.recipe import Recipe
from dna_engine.training.transfer import take_weights
from tests.dna_engine.runs import TINY_NETWORK, context

OTHERS = DIGITS.model_copy(update={"class_names": [f"a {name}" for name in DIGITS.class_names]})
SMALL = {"dataset": "digits", "epochs": 2, "batch_size": 64}


def train(run: Path, spec: ResolvedTraining) -> Trained:
    [step] = plan_of(spec).steps(Phase.TRAIN)
    where, _ = context(run)
    return Trained.model_validate(pipeline.run_step(spec, step, where).values)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a training from scratch."""
    run = tmp_path_factory.mktemp("before")
    spec = TrainingSpec.model_validate(SMALL | {"architecture": "tiny", "epochs": 6})
    train(run, resolve_training(spec, TINY_NETWORK, DIGITS))
    return run


def going_on(before: Path, run: Path, **fields: Any) -> Trained:
    """From those weights, to the same digits under other names."""
    network = TINY_NETWORK.with_classes(10).to_json()
    given = GivenWeights(training="earlier", architecture=network, dataset=DIGITS, sha256="")
    (run / files.START).write_bytes((before / "network" / files.WEIGHTS).read_bytes())
    spec = TrainingSpec.model_validate(SMALL | {"start": {"training": "earlier"}} | fields)
    return train(run, resolve_training(spec, TINY_NETWORK, OTHERS, None, given))


@pytest.mark.parametrize(("size", "fields"), [(16, {"head_epochs": 1, "backbone_learning_rate": 0.001}), (24, {})])
def test_it_is_ahead_of_one_from_scratch_though_its_classes_are_others(
    before: Path, tmp_path: Path, size: int, fields: dict[str, Any]
) -> None:
    scratch = TrainingSpec.model_validate(SMALL | {"architecture": "tiny", "input_size": size})
    (tmp_path / "begun").mkdir()
    plain = train(tmp_path, resolve_training(scratch, TINY_NETWORK, OTHERS))
    begun = going_on(before, tmp_path / "begun", input_size=size, **fields)
    assert begun.test_loss < plain.test_loss
    assert (begun.start, begun.transferred_from) == ("transferred", "digits")
    assert (plain.start, plain.transferred_from) == ("scratch", None)
    assert begun.recipe["frozen_epochs"] == fields.get("head_epochs", 0)


def test_all_but_the_classifier_stays_while_this_is_trained_alone(before: Path, tmp_path: Path) -> None:
    """Of two epochs one is of the whole network: at next to no learning rate it stays as well, but for its norms' statistics."""
    going_on(before, tmp_path, head_epochs=1, backbone_learning_rate=1e-30)
    old, new = load_file(tmp_path / files.START), load_file(tmp_path / "network" / files.WEIGHTS)
    changed = {
        name for name in old if "running" not in name and "tracked" not in name and not old[name].equal(new[name])
    }
    assert changed == {"classifier.weight", "classifier.bias"}


@pytest.mark.parametrize("head", [True, False])
def test_the_head_is_taken_or_stays_as_it_was_drawn(before: Path, head: bool) -> None:
    model = build(TINY_NETWORK.with_classes(10))
    drawn = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    weights = load_file(before / "network" / files.WEIGHTS)
    take_weights(model, before / "network" / files.WEIGHTS, head=head)
    for name, tensor in model.state_dict().items():
        assert tensor.equal(weights[name] if head or "classifier" not in name else drawn[name]), name


def test_weights_of_another_network_are_refused(before: Path, tmp_path: Path) -> None:
    weights = load_file(before / "network" / files.WEIGHTS)
    model = build(TINY_NETWORK.with_classes(10))
    wrong = {
        "lacking": {name: tensor for name, tensor in weights.items() if name != "conv_stem.weight"},
        "unknown": weights | {"another.weight": torch.zeros(1)},
        "shape": weights | {"conv_stem.weight": torch.zeros(1)},
    }
    for name, tensors in wrong.items():
        save_file(tensors, tmp_path / name)
        with pytest.raises(InvalidSpec, match=r"cannot be taken|another network"):
            take_weights(model, tmp_path / name, head=True)
    (tmp_path / "damaged").write_bytes(b"no tensors")
    with pytest.raises(InvalidSpec, match="cannot be taken"):
        take_weights(model, tmp_path / "damaged", head=True)


@pytest.mark.parametrize("kind", ["adamw", "rmsproptf"])
def test_the_layers_before_the_classifier_have_a_rate_of_their_own(kind: Any) -> None:
    model = build(TINY_NETWORK)
    recipe = Recipe(epochs=4, learning_rate=0.01, backbone_rate=0.001, warmup_epochs=0, optimizer=kind)
    optimizer = recipe.make_optimizer(model)
    recipe.make_schedule(optimizer, 5).step_update(0)
    rates = {id(parameter): group["lr"] for group in optimizer.param_groups for parameter in group["params"]}
    decays = {id(parameter): group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]}
    for name, parameter in model.named_parameters():
        assert rates[id(parameter)] == pytest.approx(0.01 if "classifier" in name else 0.001), name
        assert decays[id(parameter)] == (recipe.weight_decay if parameter.ndim > 1 else 0)
    assert (
        len(rates)
        == len(list(model.parameters()))
        == sum(len(group["params"]) for group in groups_by_rate(model, scale=1))
    )
