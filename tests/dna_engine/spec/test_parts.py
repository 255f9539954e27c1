"""What the specs of all kinds of job have in common: how numbers are written, the recipe, what is left open."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from dna_engine import defaults, recipes
from dna_engine.images.info import DIGITS
from dna_engine.images.pictures.pixels import PLAIN, Look
from dna_engine.recipes import RECIPES
from dna_engine.spec import RecipeSpec, ResolvedJob, SearchSpec, TrainingSpec, parse_job
from dna_engine.spec.numbers import NUMBERS, NumbersSpec
from dna_engine.spec.parts import JobSpec, left_open
from tests.dna_engine.runs import tiny_spec, tiny_training


def test_whole_numbers_may_be_written_with_a_point() -> None:
    assert RecipeSpec.model_validate({"epochs": 20.0, "batch_size": 3.2e1}) == RecipeSpec(epochs=20, batch_size=32)


@pytest.mark.parametrize(
    "fields",
    [
        {"epochs": "20"},
        {"epochs": True},
        {"epochs": 1.9},
        {"epochs": 0},
        {"batch_size": 1},
        {"weight_decay": "0.1"},
        {"learning_rate": float("nan")},
        {"learning_rate": float("inf")},
        {"label_smoothing": 1.0},
        {"recipe": "adam"},
        {"momentum": 0.9},
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RecipeSpec.model_validate(fields)


@pytest.mark.parametrize(
    "fields",
    [{"dataset": "d" * 201}, {"name": 1}, {"augment": 1}, {"seed": "1"}, {"seed": -1}, {"seed": 2**31}, {"labels": {"a": 1}}],
)  # fmt: skip
@pytest.mark.parametrize("kind", [SearchSpec, TrainingSpec])
def test_what_any_job_may_be_asked_for_is_checked_alike(kind: type[JobSpec], fields: dict[str, Any]) -> None:
    job = {"dataset": "digits"} | ({"architecture": "a"} if kind is TrainingSpec else {})
    assert kind.model_validate(job)
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(job | fields)
    assert {error["loc"][0] for error in refused.value.errors()} == set(fields)


def test_a_recipe_is_filled_in_by_the_number_of_images() -> None:
    for images in (240, 50_000):
        batch_size, epochs = defaults.batch_size(images), defaults.epochs(images).retraining
        assert left_open(RecipeSpec(), images) == vars(RECIPES["quick"].numbers) | {
            "recipe": "quick",
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": defaults.learning_rate(batch_size),
            "warmup_epochs": min(5.0, epochs / 10),
        }
    asked = {"epochs": 3, "batch_size": 8, "learning_rate": 0.5, "mixup": 0.3, "warmup_epochs": 0.0, "recipe": "small"}
    found = left_open(RecipeSpec.model_validate(asked), 240)
    assert {name: found[name] for name in asked} == asked


def test_an_older_name_of_a_recipe_is_read() -> None:
    assert RecipeSpec.model_validate({"recipe": "adamw"}).recipe == "quick"


def test_every_number_of_the_table_may_be_written_and_is_within_its_range() -> None:
    assert {*NUMBERS, "learning_rate", "warmup_epochs"} == set(NumbersSpec.model_fields)
    for recipe in RECIPES.values():
        written = RecipeSpec.model_validate(vars(recipe.numbers))
        assert {name: getattr(written, name) for name in NUMBERS} == vars(recipe.numbers)


def test_published_recipes_take_fewer_epochs_on_fewer_images() -> None:
    assert [recipes.epochs("modern", images) for images in (1_281_167, 2_000_000, 50_000, 5_000)] == [
        450,
        450,
        200,
        112,
    ]
    assert recipes.epochs("paper", 1_281_167) == 500
    for name in ("quick", "small"):
        assert recipes.epochs(name, 50_000) == defaults.epochs(50_000).retraining
    assert recipes.epochs("modern", 20) == defaults.epochs(20).retraining == 100


def test_the_default_recipe_is_that_of_the_last_row_that_has_enough_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "DEFAULT_FROM", ((0, "quick"), (1_000, "small"), (5_000, "modern")))
    assert [recipes.default(images) for images in (0, 999, 1_000, 4_999, 5_000)] == [
        "quick",
        "quick",
        "small",
        "small",
        "modern",
    ]
    assert left_open(RecipeSpec(), 2_000)["mixup"] == RECIPES["small"].numbers.mixup


def test_the_rate_follows_the_batch_that_was_asked_for() -> None:
    assert left_open(RecipeSpec(batch_size=1_024), 240)["learning_rate"] == 4 * defaults.LEARNING_RATE


@pytest.mark.parametrize("job", [tiny_spec(), tiny_training()], ids=["search", "training"])
def test_a_job_that_was_kept_without_flip_is_read_as_its_dataset_suggests(job: ResolvedJob) -> None:
    for name, allowed in ((DIGITS.name, False), ("birds", True)):
        kept = job.model_dump(mode="json", exclude={"flip"})
        kept["dataset"]["name"] = name
        assert parse_job(kept).flip == allowed


@pytest.mark.parametrize("job", [tiny_spec(), tiny_training()], ids=["search", "training"])
def test_a_job_that_was_kept_before_there_was_a_choice_sees_its_pictures_as_it_did(job: ResolvedJob) -> None:
    kept = job.model_dump(mode="json", exclude={"resize", "background"})
    for recipe in (kept, kept.get("retrain", {})):
        recipe.pop("sampling", None)
        recipe.pop("autoaugment", None)
    kept["dataset"]["aspect_ratios"] = (5.0, 5.0, 5.0)
    again = parse_job(kept)
    assert again.look == Look("crop", "white", 65_535) == PLAIN
    assert again.recipe_of_networks.sampling == "uniform"


@pytest.mark.parametrize("background", ["white", "black", "grey", "#0fA0b3"])
def test_backgrounds(background: str) -> None:
    assert SearchSpec(dataset="digits", background=background).background == background


@pytest.mark.parametrize("background", ["", "#fff", "red", "#12345g", "White", "#0fA0b3\n"])
def test_what_is_no_background_is_refused_with_what_to_write(background: str) -> None:
    with pytest.raises(ValidationError, match="Write a colour as #rrggbb, such as #808080, or as white, black or grey"):
        SearchSpec(dataset="digits", background=background)
