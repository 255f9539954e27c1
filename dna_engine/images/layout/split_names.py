"""What people call the parts of a dataset: in any case, several languages, and with the words that come along. Torch-free."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Split = Literal["train", "val", "test"]

#: Folded, as :func:`_plain` has them. ``eval`` is where networks are tested, as for Hugging Face's ``datasets``.
_WORDS: dict[Split, str] = {
    "train": "train training trainings treino treinamento entrenamiento entrenar apprentissage entrainement addestramento "
    "allenamento trening traning egitim opleiding обучение обучающая тренировка 训练 訓練 学習 훈련 학습",
    "val": "val valid validation validate validating dev devel development validacion validacao validazione convalida validierung "
    "validierungs walidacja validering validatie dogrulama валидация валидационная 验证 驗證 検証 검증",
    "test": "test tests testing eval evaluation holdout prueba pruebas teste testes prova testowy тест тестирование тестовая 测试 測試 "
    "テスト 시험 테스트",
}
#: Words around them that change nothing, and such that are written without a space.
_FILLERS = "set data dataset images image imgs img pictures photos split folder seg datos donnees daten bilder"
_ENDINGS = "dataset data daten set images imgs bilder 集 数据 データ"
_LETTERS = re.compile(r"[^\W\d_]+")


def split_of(name: str) -> Split | None:
    """Which part of a dataset a folder, a table or a row of that name means; None where it means none.

    ``Training``, ``TRAIN_SET``, ``train2017`` and ``entraînement`` are all ``train``.
    """
    words = [word for word in _LETTERS.findall(_plain(name)) if word not in _FILLERS.split()]
    return _split_of_word(words[0]) if len(words) == 1 else None


def splits_in(name: str) -> set[Split]:
    """The parts that words of a name speak of, among others: ``data/train-00003-of-00032.parquet``."""
    return {split for word in _LETTERS.findall(_plain(name)) if (split := _split_of_word(word)) is not None}


def _split_of_word(word: str) -> Split | None:
    stems = (word.removesuffix(ending) for ending in _plain(_ENDINGS).split())
    return next((_SPLIT_OF[stem] for stem in (word, *stems) if stem in _SPLIT_OF), None)


def _plain(name: str) -> str:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in apart if letter.isascii() or unicodedata.category(letter) != "Mn")


_SPLIT_OF = {_plain(word): split for split, words in _WORDS.items() for word in words.split()}
