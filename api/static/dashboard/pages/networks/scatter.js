// Accuracy over cost of the networks that the filters leave.

import { get, Problem } from "../../client.js";
import { count, percent } from "../../format.js";
import { Empty, Panel, ProblemNote } from "../../parts/basics.js";
import { Axes, Legend, Mark, scale, useWidth } from "../../parts/plot.js";
import { ask, href, usePlace } from "../../router.js";
import { html, useEffect, useState } from "../../view.js";
import { title } from "../network/called.js";

const HEIGHT = 300;

/** Most networks that are drawn, and how many are read at once. */
const MOST = 1000;
const PAGE = 200;

/** @type {Record<string, {shape: import("../../parts/plot.js").Shape, className: string}>} */
const MARKS = {
  winner: { shape: "star", className: "mark-winner" },
  control: { shape: "square", className: "mark-control" },
  selected: { shape: "diamond", className: "mark-selected" },
  reference: { shape: "triangle", className: "mark-finalist" },
  given: { shape: "dot", className: "mark-found" },
};

const AXES = { flops: "FLOPs (multiply-adds of one picture)", params: "Parameters" };

/** @param {{where: import("../../client.js").Query}} props */
export function Scatter({ where }) {
  const { query } = usePlace();
  const axis = query.get("axis") === "params" ? "params" : "flops";
  const { networks, whole, problem } = useTrained(where);
  const choice = html`<label class="inline">Over <select value=${axis} onChange=${(/** @type {any} */ event) => ask({ axis: event.target.value === "flops" ? null : event.target.value })}>
    <option value="flops" selected=${axis === "flops"}>FLOPs</option><option value="params" selected=${axis === "params"}>Parameters</option></select></label>`;
  return html`<${Panel} title="Accuracy over cost" actions=${choice}><${ProblemNote} of=${problem} />
    ${networks.length ? html`<${Points} networks=${networks} axis=${axis} />` : html`<${Empty}>None of these networks was trained yet: a network without an accuracy has no place here.</${Empty}>`}
    ${!whole && html`<p class="faint">The ${MOST} most accurate. Filters narrow it.</p>`}
  </${Panel}>`;
}

/**
 * Those that have an accuracy, the best first.
 * @param {import("../../client.js").Query} where
 */
function useTrained(where) {
  const [state, setState] = useState({ networks: /** @type {any[]} */ ([]), whole: true, problem: /** @type {Problem | null} */ (null) });
  const key = JSON.stringify(where);
  useEffect(() => {
    const going = new AbortController();
    read(where, going.signal)
      .then((found) => setState({ ...found, problem: null }))
      .catch((error) => {
        if (going.signal.aborted) return;
        if (!(error instanceof Problem)) throw error;
        setState({ networks: [], whole: true, problem: error });
      });
    return () => going.abort();
  }, [key]);
  return state;
}

/** @param {import("../../client.js").Query} where @param {AbortSignal} signal */
async function read(where, signal) {
  const trained = { ...where, accuracy_min: where.accuracy_min ?? 0, sort: "-accuracy", limit: PAGE };
  let page = await get("architectures", trained, signal);
  const networks = page.items;
  while (page.next && networks.length < MOST) {
    page = await get("architectures", { ...trained, cursor: page.next }, signal);
    networks.push(...page.items);
  }
  return { networks, whole: !page.next };
}

/** @param {{networks: any[], axis: "flops" | "params"}} props */
function Points({ networks, axis }) {
  const [element, width] = useWidth();
  const box = { left: 56, right: width - 14, top: 32, bottom: HEIGHT - 44 };
  const x = padded(networks.map((network) => network[axis]), box.left, box.right);
  const y = padded(networks.map((network) => network.test_accuracy), box.bottom, box.top, [0, 1]);
  const roles = Object.keys(MARKS).filter((role) => networks.some((network) => network.role === role));
  return html`<div ref=${element} class="scatter">
    ${width > 0 && html`<svg width=${width} height=${HEIGHT} role="group" aria-label="Accuracy over ${AXES[axis]} of ${networks.length} networks">
      <${Axes} x=${x} y=${y} box=${box} xName=${AXES[axis]} yName="Accuracy" xFormat=${count} yFormat=${(/** @type {number} */ value) => percent(value)} />
      ${networks.map((network) => html`<${Point} key=${network.id} network=${network} x=${x(network[axis])} y=${y(network.test_accuracy)} text="${title(network)}: ${percent(network.test_accuracy)}, ${count(network[axis])}" />`)}
    </svg>`}
    <${Legend} items=${roles.map((role) => ({ ...MARKS[role], label: role }))} />
  </div>`;
}

/** @param {{network: any, x: number, y: number, text: string}} props */
const Point = ({ network, x, y, text }) => html`<a href=${href(["networks", network.id])} aria-label=${text}><title>${text}</title><${Mark} ...${MARKS[network.role]} x=${x} y=${y} /></a>`;

/** @param {number[]} values @param {number} from @param {number} to @param {[number, number]} [bounds] */
function padded(values, from, to, [least, most] = [0, Infinity]) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return scale(Math.max(low - room, least), Math.min(high + room, most), from, to);
}
