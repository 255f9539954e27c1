"""What a training has come to, in words: where it ended, and whether it waited for its images."""

from __future__ import annotations

from dna_client.training_report import pace


def test_trainings_of_early_versions_say_nothing_of_their_pace() -> None:
    assert pace({"images_per_second": 100.0}) == []


def test_where_it_ended_and_how_fast_its_images_came() -> None:
    stopped = {"epoch": 12.0, "best_epoch": 9.0, "log_loss": 0.25, "images": 500, "early": True}
    rates = {
        "images_per_second": 800.0,
        "step_images_per_second": 1_000.0,
        "loader_images_per_second": 4_000.0,
        "waited": 0.2,
    }
    assert pace({"early_stopping": stopped, **rates}) == [
        "Stopped early after epoch 12; the weights of epoch 9, log-loss 0.2500 on 500 images held out.",
        "800 images a second: the network alone 1,000, its images alone 4,000; waited for 20% of the time.",
    ]
