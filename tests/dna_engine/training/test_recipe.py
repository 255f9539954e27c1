"""Recipes: schedules as numbers, weight decay where it belongs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from dna_engine.defaults import Optimizer, learning_rate
from dna_engine.images.info import DIGITS
from dna_engine.recipes import RECIPES, Name
from dna_engine.spec import RetrainSpec, SearchSpec, resolve
from dna_engine.training.augment.policies import AutoAugment
from dna_engine.training.recipe import Recipe


def rates(recipe: Recipe, steps_per_epoch: int) -> list[float]:
    optimizer = recipe.make_optimizer(nn.Linear(2, 2))
    schedule = recipe.make_schedule(optimizer, steps_per_epoch)
    found = []
    for step in range(recipe.steps(steps_per_epoch)):
        schedule.step_update(step)
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_a_warm_up_then_one_cosine_down_to_nothing() -> None:
    found = rates(Recipe(epochs=10, learning_rate=1.0, warmup_epochs=2.0), 10)
    assert found[0] == 0
    assert found[10] == pytest.approx(0.5)
    assert max(found) == found[20] == pytest.approx(1.0)
    assert found[60] == pytest.approx(0.5)
    assert 0 < found[-1] < 0.001
    assert found[20:] == sorted(found[20:], reverse=True)


def test_a_fraction_of_an_epoch_has_the_whole_schedule() -> None:
    recipe = Recipe(epochs=10, learning_rate=1.0, warmup_epochs=1.0).lasting(0.5)
    assert (recipe.epochs, recipe.warmup_epochs) == (0.5, 0.05)
    found = rates(recipe, 40)
    assert len(found) == 20
    assert found[0] == 0
    assert max(found) == found[2] == pytest.approx(1.0)
    assert found[11] == pytest.approx(0.5)
    assert 0 < found[-1] < 0.01
    assert [replace(recipe, epochs=share).steps(40) for share in (1e-3, 0.26, 1.5, 2)] == [1, 10, 60, 80]


def test_the_papers_schedule_and_numbers() -> None:
    recipe = Recipe.named("paper", epochs=60, batch_size=256)
    assert recipe.drawing.augmentation.policy == AutoAugment()
    assert recipe.learning_rate == pytest.approx(0.064 / 4)
    found = rates(recipe, 4)
    peak = recipe.learning_rate
    assert found[20] == pytest.approx(peak)
    assert found[-1] == pytest.approx(peak * 0.963**18)
    group = recipe.make_optimizer(nn.Linear(2, 2)).param_groups[0]
    assert (group["alpha"], group["momentum"], group["eps"]) == (0.9, 0.9, 1e-3)


@pytest.mark.parametrize("optimizer", ["adamw", "lamb", "rmsproptf"])
def test_norms_and_biases_do_not_decay(optimizer: Optimizer) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    made = Recipe(epochs=1, weight_decay=0.1, optimizer=optimizer).make_optimizer(model)
    assert type(made).__name__.lower() == optimizer
    groups = made.param_groups
    assert {(group["weight_decay"], len(group["params"])) for group in groups} == {(0.0, 3), (0.1, 1)}


def test_a_search_says_which() -> None:
    retrain = resolve(SearchSpec(dataset="digits", retrain=RetrainSpec(epochs=40, weight_decay=0.2)), DIGITS).retrain
    recipe = Recipe.of(retrain)
    assert (recipe.epochs, recipe.weight_decay, recipe.warmup_epochs) == (40, 0.2, 4.0)
    paper = resolve(SearchSpec(dataset="digits", retrain=RetrainSpec(epochs=40, recipe="paper")), DIGITS).retrain
    assert Recipe.of(paper) == Recipe.named("paper", epochs=40, batch_size=64)


def test_winner_control_and_finalists_see_images_as_the_spec_says() -> None:
    asked = resolve(SearchSpec(dataset="digits", retrain=RetrainSpec(sampling="by_class")), DIGITS)
    assert Recipe.of(asked.retrain).sampling == Recipe.of_finalist(asked).sampling == "by_class"
    assert Recipe.of_teacher(asked.teacher).sampling == "uniform"
    assert Recipe.of(resolve(SearchSpec(dataset="digits"), DIGITS).retrain).sampling == "uniform"


@pytest.mark.parametrize("name", RECIPES)
def test_a_row_of_the_table_is_a_recipe(name: Name) -> None:
    recipe = Recipe.named(name, epochs=30, batch_size=32)
    numbers = RECIPES[name].numbers
    assert {field: getattr(recipe, field) for field in vars(numbers)} == vars(numbers)
    assert (recipe.epochs, recipe.batch_size, recipe.warmup_epochs) == (30, 32, 3.0)
    assert recipe.learning_rate == learning_rate(32, numbers.optimizer)
