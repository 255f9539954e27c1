// The networks of the search that the chart shows beside the frontier: each kind by its own shape.

import { useResource } from "../../../hooks.js";
import { percent } from "../../../format.js";
import { useMemo } from "../../../view.js";

const KINDS = {
  winner: { shape: "star", className: "mark-winner", label: "Winner" },
  control: { shape: "square", className: "mark-control", label: "Control" },
  selected: { shape: "diamond", className: "mark-selected", label: "Selected" },
  finalist: { shape: "triangle", className: "mark-finalist", label: "Finalist" },
};

/** Most selected networks that are marked: more hide the curve. */
const MOST = 40;

/**
 * @param {any} search
 * @returns {{marks: import("./plot.js").Marked[], kept: any[], winner: any}} `kept`: the networks of the search; `winner` with its costs and blocks, null until it is known
 */
export function useMarks(search) {
  const { data } = useResource("architectures", { search: search.id, role: ["winner", "control", "selected"], limit: 200 });
  return useMemo(() => {
    const networks = data?.items ?? [];
    const winner = networks.find((/** @type {any} */ network) => network.role === "winner");
    const kept = networks.filter((/** @type {any} */ network) => network.role !== "selected").concat(networks.filter((/** @type {any} */ network) => network.role === "selected").slice(0, MOST));
    const marks = kept.map((/** @type {any} */ network, /** @type {number} */ number) => marked(network.role, network, network.role === "selected" ? ` ${network.name ?? number}` : ""));
    // The finalist that won is the winner already.
    const finalists = finalistsOf(search).filter((finalist) => finalist.loss !== winner?.loss || finalist.flops !== winner?.flops);
    return {
      marks: [...finalists.map((finalist, number) => marked("finalist", finalist, ` ${number + 1}`)), ...marks],
      kept: networks,
      winner: winner ? { ...winner, blocks: winner.architecture.blocks } : null,
    };
  }, [data, search.steps]);
}

/** Those that it has looked at whole, as its step that selects says. @param {any} search @returns {any[]} */
const finalistsOf = (search) => search.steps.find((/** @type {any} */ step) => step.kind === "select")?.values?.finalists ?? [];

/** @param {keyof typeof KINDS} kind @param {any} network @param {string} number @returns {any} */
function marked(kind, network, number) {
  const { id, loss, flops, params, latency_ns = null } = network;
  const accuracy = network.test_accuracy ?? null;
  const about = accuracy === null ? "" : `, ${percent(accuracy)} on the test images`;
  return { ...KINDS[kind], kind: KINDS[kind].label, label: KINDS[kind].label + number, about, id, loss, flops, params, latency_ns };
}
