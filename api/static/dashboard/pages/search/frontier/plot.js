// The chart: predicted loss over a cost, with a budget line that is dragged by mouse, finger or arrow keys.

import { href } from "../../../router.js";
import { loss as lossText } from "../../../format.js";
import { Explained, ROLES } from "../../../parts/explained.js";
import { Axes, Legend, Mark, scale, useWidth } from "../../../parts/plot.js";
import { html, useMemo } from "../../../view.js";
import { under } from "./curve.js";
import { COSTS } from "./limits.js";

/** @typedef {import("./limits.js").Cost} Cost */
/** @typedef {{id?: string, shape: import("../../../parts/plot.js").Shape, className: string, kind: string, label: string, about?: string, loss: number | null} & Record<Cost, number | null>} Marked */

const HEIGHT = 380;

/** More points than this are a line without dots. */
const DOTS = 150;

/**
 * @param {object} props
 * @param {Cost} props.cost
 * @param {import("./curve.js").Curve} props.curve
 * @param {number} props.limit of that cost
 * @param {(limit: number) => void} props.onLimit
 * @param {Marked[]} props.marks
 * @param {{key: string, label: string, items: Marked[]}[]} [props.rings]
 */
export function FrontierPlot({ cost, curve, limit, onLimit, marks }) {
  const [element, width] = useWidth();
  const shown = marks.filter((mark) => mark.loss !== null && mark[cost] !== null);
  const frame = useMemo(() => framed(cost, curve, shown, width), [cost, curve, width, shown.map((mark) => `${mark[cost]} ${mark.loss}`).join()]);
  return html`<div class="frontier-plot" ref=${element}>
    ${width > 0 && html`<svg width=${width} height=${HEIGHT} role="group" aria-label="Predicted loss over ${COSTS[cost].label}" ...${dragging(frame, onLimit)}>
      <${Axes} ...${frame} xName=${COSTS[cost].axis} yName="Predicted loss, lower is better" xFormat=${COSTS[cost].format} yFormat=${lossText} />
      <path class="curve" d=${frame.path} />
      ${curve.points.length <= DOTS && curve.points.map((point) => html`<circle key=${point.cost} class="dot" cx=${frame.x(point.cost)} cy=${frame.y(point.loss)} r="2.5" />`)}
      ${shown.map((mark) => html`<${Shown} key=${mark.id ?? mark.label} mark=${mark} x=${frame.x(mark[cost] ?? 0)} y=${frame.y(mark.loss ?? 0)} />`)}
      <${Line} cost=${cost} curve=${curve} limit=${limit} frame=${frame} onLimit=${onLimit} />
    </svg>`}
    <${Legend} items=${legend(shown)} />
    <${Explained} title="What winner, control and the others mean" of=${[...new Set(shown.map(({ kind }) => kind.toLowerCase()))].filter((role) => ROLES[role])} />
  </div>`;
}

/** One for each kind of mark. @param {Marked[]} marks */
const legend = (marks) => [
  ...new Map(marks.map(({ shape, className, kind }) => [className, { shape, className, label: kind }])).values(),
];

/**
 * Scales that hold the curve, the marks and a little below the least cost, where no network is.
 * @param {Cost} cost @param {import("./curve.js").Curve} curve @param {Marked[]} marks @param {number} width
 */
function framed(cost, curve, marks, width) {
  const box = { left: width < 500 ? 46 : 60, right: width - 14, top: 32, bottom: HEIGHT - 44 };
  const costs = [curve.least, curve.most, ...marks.map((mark) => mark[cost] ?? 0)];
  const losses = [curve.points[0].loss, curve.points[curve.points.length - 1].loss, ...marks.map((mark) => mark.loss ?? 0)];
  const [x, y] = [padded(costs, box.left, box.right), padded(losses, box.bottom, box.top)];
  // Between two points the cheaper one is the best that fits: the curve is a stair.
  const stair = curve.points.map((point, number) => `${number ? `H${x(point.cost).toFixed(1)}V` : `M${x(point.cost).toFixed(1)},`}${y(point.loss).toFixed(1)}`);
  return { x, y, box, path: `${stair.join("")}H${box.right}` };
}

/** @param {number[]} values @param {number} from @param {number} to */
function padded(values, from, to) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return scale(low - room, high + room, from, to);
}

/**
 * The line goes where the pointer is pressed, and follows it.
 * @param {ReturnType<typeof framed>} frame @param {(limit: number) => void} onLimit
 */
function dragging({ x, box }, onLimit) {
  const move = (/** @type {any} */ event) => {
    const at = event.clientX - event.currentTarget.getBoundingClientRect().left;
    onLimit(Math.max(1, Math.round(x.back(Math.min(Math.max(at, box.left), box.right)))));
  };
  return {
    onPointerDown: (/** @type {any} */ event) => {
      if (event.button || event.target.closest("a")) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      event.currentTarget.querySelector("[role=slider]").focus({ preventScroll: true });
      event.preventDefault();
      move(event);
    },
    onPointerMove: (/** @type {any} */ event) => event.currentTarget.hasPointerCapture(event.pointerId) && move(event),
  };
}

/** @param {{mark: Marked, x: number, y: number}} props */
function Shown({ mark, x, y }) {
  const text = `${mark.label}: loss ${lossText(mark.loss)}${mark.about ?? ""}`;
  const drawn = html`<title>${text}</title><${Mark} shape=${mark.shape} x=${x} y=${y} className=${mark.className} />`;
  return mark.id ? html`<a href=${href(["networks", mark.id])} aria-label=${text}>${drawn}</a>` : html`<g role="img" aria-label=${text}>${drawn}</g>`;
}

/**
 * The budget line: a slider whose arrow keys go from network to network.
 * @param {{cost: Cost, curve: import("./curve.js").Curve, limit: number, frame: ReturnType<typeof framed>, onLimit: (limit: number) => void}} props
 */
function Line({ cost, curve, limit, frame, onLimit }) {
  const { x, box } = frame;
  const { format } = COSTS[cost];
  const at = Math.min(Math.max(x(limit), box.left), box.right);
  const press = (/** @type {KeyboardEvent} */ event) => {
    const to = stepped(curve.points, limit, event.key);
    if (to === null) return;
    event.preventDefault();
    onLimit(to);
  };
  const side = at > (box.left + box.right) / 2 ? { dx: -8, anchor: "end" } : { dx: 8, anchor: "start" };
  return html`<g class="budget-line" tabindex="0" role="slider" aria-label="Limit of ${COSTS[cost].label}" aria-valuemin=${Math.min(curve.least, limit)} aria-valuemax=${Math.max(curve.most, limit)}
    aria-valuenow=${limit} aria-valuetext="at most ${format(limit)}" aria-orientation="horizontal" onKeyDown=${press}>
    <rect x=${at - 12} y=${box.top} width="24" height=${box.bottom - box.top} class="grip" />
    <line x1=${at} x2=${at} y1=${box.top} y2=${box.bottom} /><path d="M${at - 6},${box.top - 2}h12l-6,9z" />
    <text x=${at + side.dx} y=${box.top + 10} text-anchor=${side.anchor}>at most ${format(limit)}</text>
  </g>`;
}

/** Points that a page key passes. */
const PAGE = 10;

/**
 * The cost of the network that a key leads to; null of other keys.
 * @param {import("./curve.js").Point[]} points @param {number} limit @param {string} key
 */
function stepped(points, limit, key) {
  const here = under(points, limit);
  const between = here >= 0 && points[here].cost < limit;
  const places = {
    ArrowLeft: between ? here : here - 1,
    ArrowDown: between ? here : here - 1,
    ArrowRight: here + 1,
    ArrowUp: here + 1,
    PageDown: here - PAGE,
    PageUp: here + PAGE,
    Home: 0,
    End: points.length - 1,
  };
  const place = places[/** @type {keyof typeof places} */ (key)];
  return place === undefined ? null : points[Math.min(Math.max(place, 0), points.length - 1)].cost;
}
