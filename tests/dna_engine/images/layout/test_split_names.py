"""What people call the parts of a dataset."""

from __future__ import annotations

import pytest

from dna_engine.images.layout.split_names import split_of, splits_in


@pytest.mark.parametrize(
    ("split", "names"),
    [
        ("train", "train Train TRAIN Training training_set train-images train2017 seg_train Trainingsdaten entrenamiento apprentissage"),
        ("train", "Entraînement TREINO обучение 训练集 学習データ"),
        ("val", "val Val valid validation VALIDATION dev Validierung validación validação валидация 验证集 検証"),
        ("test", "test Testing TEST test_set eval evaluation Testdaten prueba teste тест 测试集 テスト"),
        (None, "cat trainer contest trains bus_train_car images data set 1 retrain devil medieval"),
    ],
)  # fmt: skip
def test_names_of_parts(split: str | None, names: str) -> None:
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


def test_words_around_them() -> None:
    assert split_of("Training Set") == "train"
    assert split_of("train station") is None
    assert splits_in("data/train-00003-of-00032.parquet") == {"train"}
    assert splits_in("train/test-1.tar") == {"train", "test"}
