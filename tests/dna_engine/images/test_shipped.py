from __future__ import annotations

import io

import pytest
from PIL import Image

from dna_engine.errors import UnknownName
from dna_engine.images.check.samples import EACH, read_index, read_sample
from dna_engine.images.info import BUILTIN
from dna_engine.images.shipped import class_counts, sample_archive

every = pytest.mark.parametrize("name", BUILTIN)


@every
def test_the_counts_are_those_of_its_description(name: str) -> None:
    info, counts = BUILTIN[name], class_counts(name)
    assert [count.name for count in counts] == info.class_names
    for split, of_it in (("train", info.num_train), ("test", info.num_test)):
        assert sum(count.images[split] for count in counts) == of_it
        assert all(count.images[split] > 0 for count in counts)


@every
def test_each_class_has_pictures(name: str) -> None:
    archive, info = io.BytesIO(sample_archive(name)), BUILTIN[name]
    index = read_index(archive)
    assert [len(samples) for samples in index] == [EACH] * info.num_classes
    seen = set()
    for label, samples in enumerate(index):
        for number, sample in enumerate(samples):
            picture = read_sample(archive, label, number)
            assert picture is not None
            with Image.open(io.BytesIO(picture)) as opened:
                assert opened.size == (sample.width, sample.height) == (info.image_size,) * 2
            seen.add(picture)
    assert len(seen) == EACH * info.num_classes


def test_what_does_not_ship_is_unknown() -> None:
    for asked in (class_counts, sample_archive):
        with pytest.raises(UnknownName, match="birds"):
            asked("birds")
