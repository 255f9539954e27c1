// A new search: the dataset and the budget first, then all that may be said of one; beside it what it would be.

import { NewJob } from "../form/page.js";
import { html } from "../view.js";
import { SearchEstimate } from "./new_search/estimate.js";
import { First } from "./new_search/first.js";
import { refusalOf } from "./new_search/refusal.js";
import { Space } from "./new_search/space.js";
import { GivenTeacher } from "./new_search/teacher.js";

/** @type {import("../form/page.js").JobForm} */
const SEARCH = {
  kind: "searches",
  one: "search",
  title: "New search",
  intro: "Find a network that is accurate on your images and small enough for where it will run. Choose the images and how much it may cost; everything else has a default that suits them.",
  lacks: (spec) => (spec.dataset ? [] : [{ pointer: "#/dataset", detail: "Choose the images to learn from.", meant: [] }]),
  refusal: (body, spec) => (body.binding ? refusalOf(body, spec.budget) : []),
  labels: {
    "#/budget/flops": "Multiply-adds (FLOPs), at most",
    "#/budget/params": "Parameters, at most",
    "#/budget/latency_ms": "Latency, at most (ms)",
    "#/teacher/model": "Teacher",
    "#/teacher/from": "Teacher that there is already",
  },
  given: (query) => (query.get("dataset") ? { dataset: query.get("dataset") } : {}),
  First,
  groups: [
    ["Pictures", "their size, mirrored or not, what is cut off", { fields: ["input_size", "augment", "flip", "resize", "background"] }],
    ["Teacher's weights", "whether it is trained on the images first, and how", { top: GivenTeacher, also: ["teacher.from"], of: "teacher", first: ["weights"], but: ["model", "from"] }],
    ["Space", "the networks among which is searched", { top: Space, also: ["space"], fields: ["block_weights"] }],
    ["Distillation", "how the blocks learn from the teacher", { of: "training", first: ["epochs", "batch_size"] }],
    ["Rating and finalists", "how candidates are compared, and which are trained for a moment before one wins", { of: "select", fields: ["rating"] }],
    ["Training of the winner", "how the network that was found is trained in the end", { of: "retrain", first: ["recipe", "epochs", "batch_size", "start", "control", "references"] }],
    ["Other", "whether it goes before others; repeatable by its seed; how exact the 8-bit file has to be", { fields: ["priority", "seed", "int8_loss"] }],
  ],
  Estimate: SearchEstimate,
};

export default () => html`<${NewJob} of=${SEARCH} />`;
