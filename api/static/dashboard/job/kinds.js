// The kinds of jobs: where each is found, what it is called, and the parts of its work in the order in which they are done.

/** @typedef {"search" | "training" | "tuning"} Kind */

/**
 * @typedef {object} About
 * @property {string} path of its list, in the API and in the dashboard
 * @property {string[]} phases in order
 * @property {string} loses what goes with it when it is deleted
 */

/** @type {Record<Kind, About>} */
export const KINDS = {
  search: {
    path: "searches",
    phases: ["latency", "teacher", "distill", "rate", "time", "finalists", "select", "train", "export"],
    loses: "its ratings, its networks with their files, its pictures and its log (trainings of its networks that were made alone stay)",
  },
  training: { path: "trainings", phases: ["train", "export"], loses: "its weights, its files and its log" },
  tuning: { path: "tunings", phases: ["trials"], loses: "its trials, what they found, and its log" },
};

/** Phases that a job may do without: they are shown once they have begun. */
export const OPTIONAL = new Set(["latency", "time", "finalists"]);

/** @type {Record<string, string>} What a phase is called. */
export const PHASES = {
  latency: "Measure layers",
  teacher: "Teacher",
  distill: "Distil",
  rate: "Rate",
  time: "Time networks",
  finalists: "Finalists",
  select: "Select",
  train: "Train",
  export: "Export",
  trials: "Trials",
};

/** States in which no work is done and none will be, unless the job is resumed. */
export const FINISHED = new Set(["succeeded", "failed", "cancelled"]);

/** Those that can go on again. */
export const RESUMABLE = new Set(["failed", "cancelled"]);

/** Kinds of failures whose cause is in the spec alone, which never changes: resumed, a job fails of them again. */
const OF_THE_SPEC = new Set(["infeasible_budget", "invalid_spec", "invalid_space", "too_hard"]);

/** Fields whose fault may be that of a machine: another may have as many devices, or the weights at hand. */
const OF_A_MACHINE = new Set(["devices", "start"]);

/** Whether it may end otherwise when it goes on again. @param {any} job */
export const resumable = ({ state, error }) => RESUMABLE.has(state) && !(OF_THE_SPEC.has(error?.code) && !OF_A_MACHINE.has(error.param));
