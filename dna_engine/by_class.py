"""What a classifier answers, class by class: which it recognises, and which it takes for which. Torch-free.

:class:`Confusion` is the whole; :class:`ByClass` is what is told of it, short however many classes there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from dna_engine.accuracy import Interval, wilson

#: Of more classes than this the least recognised are told.
CLASSES = 100
#: Pairs of classes that are told.
PAIRS = 20


class ClassRecall(BaseModel):
    """How much of a class was recognised."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Of the class.")
    images: int = Field(description="Test images of the class.")
    right: int = Field(description="Those of them that were classified correctly.")
    answered: int = Field(description="Test images of any class that were taken for this one.")
    recall: float | None = Field(description="`right` over `images`, 0 to 1; null without test images.")
    interval: Interval | None = Field(description="95% interval of the recall over images of that class (Wilson).")


class Confused(BaseModel):
    """So many test images of the class ``label`` were taken for ``answer``."""

    model_config = ConfigDict(frozen=True)

    label: str = Field(description="Name of the class that they are of.")
    answer: str = Field(description="Name of the class that was answered.")
    images: int = Field(description="How many they are.")


class ByClass(BaseModel):
    """What a classifier reached on the test images of each class."""

    model_config = ConfigDict(frozen=True)

    classes: int = Field(description="How many there are.")
    recalls: list[ClassRecall] = Field(description=f"The least recognised class first; {CLASSES} at most.")
    confused: list[Confused] = Field(
        description=f"What was taken for what, the commonest first; {PAIRS} pairs at most."
    )


class Confusion(BaseModel):
    """What `confusion.json` holds: the test images by their class (rows) and by the answer (columns), in the order of the logits."""

    model_config = ConfigDict(frozen=True)

    classes: list[str] = Field(description="Names, in the order of the logits.")
    matrix: list[list[int]] = Field(
        description="Test images: a row for each class that they are of, a column for each that was answered."
    )

    @classmethod
    def count(cls, labels: Sequence[int], answers: Sequence[int], classes: Sequence[str]) -> Confusion:
        """Of one label and one answer for each image.

        Raises:
            ValueError: a label or an answer is none of the classes.
        """
        matrix = [[0] * len(classes) for _ in classes]
        for label, answer in zip(labels, answers, strict=True):
            if not (0 <= label < len(classes) and 0 <= answer < len(classes)):
                raise ValueError(f"There is no class {label} or {answer} among {len(classes)}.")
            matrix[label][answer] += 1
        return cls(classes=list(classes), matrix=matrix)

    def by_class(self) -> ByClass:
        recalls = sorted(self._recalls(), key=lambda found: 2.0 if found.recall is None else found.recall)
        confused = sorted(self._confused(), key=lambda found: -found.images)
        return ByClass(classes=len(self.classes), recalls=recalls[:CLASSES], confused=confused[:PAIRS])

    def _recalls(self) -> Iterator[ClassRecall]:
        answered = [sum(column) for column in zip(*self.matrix, strict=True)]
        for number, (name, row) in enumerate(zip(self.classes, self.matrix, strict=True)):
            images, right = sum(row), row[number]
            yield ClassRecall(
                name=name,
                images=images,
                right=right,
                answered=answered[number],
                recall=right / images if images else None,
                interval=wilson(right / images, images) if images else None,
            )

    def _confused(self) -> Iterator[Confused]:
        for number, (label, row) in enumerate(zip(self.classes, self.matrix, strict=True)):
            for answer, images in enumerate(row):
                if images and answer != number:
                    yield Confused(label=label, answer=self.classes[answer], images=images)
