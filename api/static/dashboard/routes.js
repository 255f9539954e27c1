// Which module shows which address. A page is loaded when it is first asked for; its default export is a component that gets what `:name`
// stands for.

/** @type {[string, () => Promise<{default: any}>][]} the first that fits is taken */
export const ROUTES = [
  ["searches", () => import("./pages/searches.js")],
  ["searches/new", () => import("./pages/new_search.js")],
  ["searches/:id", () => import("./pages/search.js")],
  ["compare", () => import("./pages/compare.js")],
  ["networks", () => import("./pages/networks.js")],
  ["networks/:id", () => import("./pages/network.js")],
  ["trainings", () => import("./pages/trainings.js")],
  ["trainings/new", () => import("./pages/new_training.js")],
  ["trainings/:id", () => import("./pages/training.js")],
  ["tunings", () => import("./pages/tunings.js")],
  ["tunings/new", () => import("./pages/new_tuning.js")],
  ["tunings/:id", () => import("./pages/tuning.js")],
  ["datasets", () => import("./pages/datasets.js")],
  ["datasets/:id", () => import("./pages/dataset.js")],
  ["workers", () => import("./pages/workers.js")],
  ["keys", () => import("./pages/keys.js")],
  ["webhooks", () => import("./pages/webhooks.js")],
  ["webhooks/:id", () => import("./pages/webhook.js")],
  ["projects", () => import("./pages/projects.js")],
  ["settings", () => import("./pages/settings.js")],
];

/**
 * @param {string[]} path
 * @returns {{load: () => Promise<{default: any}>, params: Record<string, string>} | null}
 */
export function route(path) {
  for (const [pattern, load] of ROUTES) {
    const parts = pattern.split("/");
    if (parts.length !== path.length) continue;
    if (!parts.every((part, place) => part.startsWith(":") || part === path[place])) continue;
    const named = parts.flatMap((part, place) => (part.startsWith(":") ? [[part.slice(1), path[place]]] : []));
    return { load, params: Object.fromEntries(named) };
  }
  return null;
}
