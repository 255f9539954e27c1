"""What goes in and out of the routes of searches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, computed_field, field_validator

from api.architectures.schemas import NetworkName
from api.jobs.schemas import JobDetail, JobStep, JobSummary, Row, shown
from api.recipes.schemas import RecipeChoice
from dna_engine.accuracy import Accuracy, Comparison, Standing, standing
from dna_engine.advice import advice
from dna_engine.by_class import ByClass
from dna_engine.fields import Written
from dna_engine.plans import Kind
from dna_engine.plans.results import Beside, beside_references, comparison
from dna_engine.space.document import NetworkJson
from dna_engine.spec import Budget, ResolvedSpec
from store import jobs
from store.states import Role
from store.tables import Architecture, Search, Training
from store.waiting import Wait

#: Networks that an answer on the whole search has: selections may have added any number.
NETWORKS_SHOWN = 200


class BestNetwork(BaseModel):
    """The best network so far: known when selection is done, its accuracy when it is trained."""

    architecture_id: UUID = Field(description="Of `GET /architectures/{id}`.")
    loss: float | None = Field(description="Predicted loss: the ratings of its blocks, summed.")
    flops: int = Field(description="Multiply-adds at batch 1, by formula.")
    params: int = Field(description="Trainable parameters, by formula.")
    latency_ns: int | None = Field(
        default=None,
        description="Nanoseconds for one picture on the device of the search; null where it measured none.",
    )
    test_accuracy: float | None = Field(
        description="Share of the test images that it classifies correctly, 0 to 1; null until it is trained."
    )
    test: Accuracy | None = Field(default=None, description="What that accuracy says; known when it is trained.")


class SearchNetwork(Row):
    """A network of the search; `GET /architectures/{id}` has the rest."""

    id: UUID = Field(description="Of `GET /architectures/{id}`.")
    role: Role = Field(description="Why it is kept.")
    name: str | None = Field(description="Of a standard network, the model of timm.")
    loss: float | None = Field(
        description="Predicted loss: the ratings of its blocks, summed; null of a standard network."
    )
    flops: int = Field(description="Multiply-adds at batch 1.")
    params: int = Field(description="Trainable parameters.")
    test_accuracy: float | None = Field(
        description="Share of the test images that it classifies correctly, 0 to 1, as the search has trained it; where that has not, the best of "
        "its own trainings on the same images. Null until it is trained."
    )
    test: Accuracy | None = Field(default=None, description="What that accuracy says; known when it is trained.")
    by_class: ByClass | None = Field(
        default=None, description="What was reached in each class; null of what early versions have trained."
    )


class SearchSummary(JobSummary):
    """A search as it is listed."""

    teacher: str = Field(description="The timm model whose features its blocks learn from.")
    budget: Budget = Field(description="Upper limits that its best network keeps within, as in `spec`.")
    best: BestNetwork | None = Field(description="The best network so far; null before one is selected.")
    control_accuracy: float | None = Field(
        default=None,
        description="Share of the test images that its control, a random network of the best one's cost, classifies correctly, 0 to 1; null until "
        "that is trained, and where it is none.",
    )

    @computed_field(
        description="Whether the winner is better or worse than its control by the test images: undecided where the 95% interval of the difference "
        "has both; null until both are trained."
    )
    def versus_control(self) -> Standing | None:
        test = self.best and self.best.test
        return standing(test, self.control_accuracy) if test and self.control_accuracy is not None else None

    @classmethod
    def listed(cls, search: Search, wait: Wait) -> SearchSummary:
        return SearchSummary.model_validate(search).model_copy(update=vars(wait))


class SearchDetail(SearchSummary, JobDetail):
    """A search with its resolved spec, its steps and its networks."""

    spec: ResolvedSpec = Field(description="As it was written, with nothing left open.")
    warnings: list[str] = Field(
        description="What makes its ratings tell little or holds it up, and what to do about it."
    )
    steps: list[JobStep] = Field(description="Units of its work, in the order in which they were planned.")
    architectures: list[SearchNetwork] = Field(
        description=f"Networks that it has kept, then the first that were selected from its ratings, {NETWORKS_SHOWN} in all; "
        "`GET /architectures?search=` has every one on pages."
    )
    comparison: Comparison | None = Field(
        description="The winner beside its control, a random network of its cost, once both are trained."
    )
    beside: list[Beside] = Field(
        description="The winner beside each of the standard networks of `retrain.references`, as far as they are trained."
    )

    @classmethod
    def of(
        cls,
        search: Search,
        networks: list[Architecture],
        trainings: list[Training],
        deciding: Mapping[UUID, Training],
        wait: Wait,
    ) -> SearchDetail:
        """``deciding``: the trainings by which networks are judged, as ``store.accuracies`` has them."""
        spec = ResolvedSpec.model_validate(search.resolved)
        found = {training.network: training.found for training in trainings if training.found}
        reached = {network: training.found for network, training in deciding.items() if training.found}
        return cls(
            **SearchSummary.listed(search, wait).model_dump(),
            written=jobs.written_now(search),
            last_event=search.event_seq,
            spec=shown(spec),
            warnings=advice(spec),
            steps=[JobStep.of(step) for step in search.steps],
            architectures=[
                SearchNetwork.model_validate(network).model_copy(
                    update={"test": trained.test, "by_class": trained.by_class}
                    if (trained := reached.get(network.id))
                    else {}
                )
                for network in networks
            ],
            comparison=comparison(found),
            beside=beside_references(found),
        )


class EstimatedStep(BaseModel):
    """A phase of the search as planned, with what it is expected to cost."""

    kind: Kind = Field(description="What the steps of the phase do.")
    cells: list[str] = Field(description="Cells that they are about.")
    networks: list[str] = Field(description="Networks that they are about.")
    device_seconds: float = Field(description="Of all of them, on a device of the kind of `device`.")
    basis: Literal["measured", "default"] = Field(
        description="measured: from finished steps on devices of this kind; default: a figure of one CPU machine."
    )


class Estimate(BaseModel):
    """What a search would be. Nothing of it is stored."""

    candidates: str = Field(description="Networks in the space, a decimal string: often beyond 2^53.")
    paths: int = Field(description="Paths that are rated, over all cells.")
    feasible_range: dict[str, tuple[int, int]] = Field(
        description="Per cost, the smallest and the largest value of any network, each on its own."
    )
    feasible: bool | None = Field(
        description="Whether some network meets the whole budget; null where to know it takes longer than a request may, and the "
        "search itself will see."
    )
    reason: str | None = Field(description="Why no network does, or why it is not known.")
    binding: list[str] = Field(description="The limits that bind, when none does.")
    nearest: list[dict[str, int]] = Field(description="Budgets nearby that have a network, when this one has none.")
    warnings: list[str] = Field(description="What would make the ratings tell little, and what to do about it.")
    steps: list[EstimatedStep] = Field(description="By phase.")
    device: str = Field(description="Kind of device the seconds are meant for.")
    device_seconds: float = Field(description="Summed over the steps; several workers share distillation and rating.")
    recipe: RecipeChoice = Field(description="By which winner and control are trained, and why.")
    spec: ResolvedSpec = Field(description="As it was written, with nothing left open.")


class Rating(BaseModel):
    """A candidate: one path of one cell."""

    block: int = Field(description="From 1.")
    cell: int = Field(description="Of the block, from 1.")
    index: int = Field(description="Number of the path in its cell, from 0, in product order of the ops.")
    ops: list[str] = Field(description="Names of the ops of the path, layer by layer.")
    loss: float = Field(description="Its rating: relative L1 distance to the teacher's features. Lower is better.")


Cost = Literal["flops", "params", "latency_ns"]


class StripPath(BaseModel):
    """A candidate in the strip of its cell."""

    index: int = Field(description="Number of the path in its cell, from 0, in product order of the ops.")
    rank: int = Field(description="Place by its loss among all paths of the cell, 1 for the best.")
    loss: float = Field(description="Its rating: relative L1 distance to the teacher's features. Lower is better.")
    ops: list[str] = Field(description="Names of the ops of the path, layer by layer.")
    flops: int = Field(
        description="Multiply-adds of its layers, behind the width that the cell was rated with; stem and head are not in it."
    )
    params: int = Field(description="Trainable parameters of the same.")
    chosen: bool = Field(description="Whether it is what the winner takes.")


class RatingStrip(BaseModel):
    """A cell with what its ratings come to, and candidates by rank."""

    block: int = Field(description="From 1.")
    cell: int = Field(description="Of the block, from 1.")
    paths: int = Field(
        description="Of the cell, all of which are rated; more than are in `items` where those are thinned."
    )
    min: float = Field(description="Loss of the best.")
    median: float = Field(description="Of the losses of all.")
    max: float = Field(description="Loss of the worst.")
    items: list[StripPath] = Field(
        description="Best first: the ten best, the worst, what the winner takes, and of the others as many as fit, spread evenly over the ranks."
    )


class RatingStrips(BaseModel):
    """The ratings of a search at one look."""

    cells: list[RatingStrip] = Field(description="Block by block.")


class ChosenBlock(BaseModel):
    """What a network takes of a block."""

    cell: int = Field(description="Of the block, from 1.")
    ops: list[str] = Field(description="Names of the ops, layer by layer.")


class FrontierPoint(BaseModel):
    """A network that no other beats in both cost and predicted loss."""

    cost: int = Field(description="Of the kind that was asked for.")
    loss: float = Field(description="Predicted loss: the ratings of its blocks, summed.")
    flops: int = Field(description="Multiply-adds at batch 1.")
    params: int = Field(description="Trainable parameters.")
    latency_ns: int | None = Field(description="Where the search measured latency.")
    blocks: list[ChosenBlock] = Field(description="What it takes of each block, from the picture on.")
    architecture: NetworkJson | None = Field(
        description="As it is downloaded, to be sent to `POST /architectures` or `POST /trainings`; null with `networks=false`: `select` "
        "with its cost as the budget has it."
    )


class FrontierOut(BaseModel):
    """The exact frontier, by ascending cost: whole, or with `points` some of it."""

    cost: Cost = Field(description="The kind that was asked for.")
    total: int = Field(description="Points of the whole frontier; more than are here where `points` has thinned it.")
    points: list[FrontierPoint] = Field(description="By ascending cost, and thus by descending loss.")


class SelectIn(Written):
    """A new budget on finished ratings."""

    budget: Budget = Field(default=Budget(), description="No limit when left out: the best network of all.")
    top_k: int = Field(default=1, ge=1, le=256, description="How many networks, best first.")
    min_distance: int = Field(
        default=1, ge=1, le=64, description="Layers in which each network differs at least from those before it."
    )
    keep: bool = Field(
        default=True,
        description="Whether they are kept as architectures of the search, to be downloaded and trained; with false nothing is stored, "
        "and a key with the scope `read` may ask.",
    )
    name: NetworkName | None = Field(
        default=None,
        description="What to call the one that is kept; of several each is named by `PATCH /architectures/{id}`.",
    )

    @field_validator("name")
    @classmethod
    def _is_of_one_that_is_kept(cls, name: str | None, others: ValidationInfo) -> str | None:
        if name is not None and others.data.get("keep") is False:
            raise ValueError("only networks that are kept have a name: leave it out, or let keep be true")
        if name is not None and others.data.get("top_k", 1) > 1:
            raise ValueError(
                "one network takes a name: leave it out, or let top_k be 1, and name each by PATCH /architectures/{id}"
            )
        return name


class LookedAt(BaseModel):
    """What came of a finalist: trained for a short time from the weights of its distilled blocks, judged on the rating images."""

    log_loss: float = Field(description="Mean cross entropy on the rating images, nats.")
    accuracy: float = Field(description="On the rating images, 0 to 1.")


class Selected(BaseModel):
    """A chosen network, kept as an architecture of the search unless `keep` was false."""

    id: UUID | None = Field(description="Of `GET /architectures/{id}`; null where it was not to be kept.")
    role: Role | None = Field(
        description="`selected`; another where the search had kept the network itself; null where it was not to be kept."
    )
    loss: float = Field(description="Predicted loss: the ratings of its blocks, summed.")
    flops: int = Field(description="Multiply-adds at batch 1.")
    params: int = Field(description="Trainable parameters.")
    latency_ns: int | None = Field(description="Where the search measured latency.")
    looked_at: LookedAt | None = Field(
        default=None, description="Where it was a finalist of the search; of others the ratings are all that is known."
    )
    architecture: NetworkJson = Field(description="What timm builds it from.")


class Selection(BaseModel):
    """The best networks within the budget; exact, not sampled."""

    architectures: list[Selected] = Field(description="Best first.")
    exact: Literal[True] = Field(default=True, description="No network within the budget is better.")
