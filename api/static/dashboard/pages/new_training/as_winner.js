// A network of a search is to be trained as the winner of that search was, so that what they reach can be compared.

import { useChosen } from "../../form/chosen.js";
import { useForm, useValue } from "../../form/context.js";
import { same } from "../../form/document.js";
import { useResource } from "../../hooks.js";
import { exact } from "../../format.js";
import { href, usePlace } from "../../router.js";
import { html, useEffect, useRef } from "../../view.js";

/** What the search may have been told of the training of its networks that a training alone is not. */
const OF_SEARCH = new Set(["control", "references"]);

/**
 * What a training is told to be as that of the winner: what its search was told of it, and what came of that.
 * @param {any} search
 */
function told({ spec: { retrain }, written }) {
  const said = Object.entries(written.retrain ?? {}).filter(([name]) => !OF_SEARCH.has(name));
  const answers = retrain.distill ? { distill: retrain.distill } : {};
  const { start, recipe, epochs } = retrain;
  return { start, recipe, epochs, ...answers, ...Object.fromEntries(said) };
}

/**
 * Proposes it once for each network, where nothing of it is written, and says what is different since. What is proposed for
 * one goes with it, as far as nobody has changed it. A clone is as what it is cloned from.
 */
export function AsWinner() {
  const { query } = usePlace();
  const form = useForm();
  const { value: images } = useValue(["dataset"]);
  const { value: asked } = useValue(["architecture"]);
  const network = useChosen("architectures", asked);
  const { data: search } = useResource(network?.search_id ? `searches/${network.search_id}` : null);
  const known = network?.id === asked && search && search.id === network?.search_id ? search : null;
  const proposed = useRef(/** @type {{of: string, told: Record<string, any>}} */ ({ of: "", told: {} }));
  const take = () => {
    proposed.current = { of: asked, told: told(known) };
    Object.entries(proposed.current.told).forEach(([name, value]) => form.set([name], value));
  };
  useEffect(() => {
    if (proposed.current.of === asked) return;
    const gone = Object.entries(proposed.current.told).filter(([name, value]) => same(form.spec[name], value));
    gone.forEach(([name]) => form.set([name], undefined));
    proposed.current = { of: "", told: {} };
  }, [asked]);
  useEffect(() => {
    if (!known || proposed.current.of === asked || query.get("from")) return;
    const open = ["start", "recipe", "epochs"].every((name) => form.spec[name] === undefined);
    if (open && (images === undefined || images.split("@")[0] === known.dataset)) take();
    else proposed.current = { of: asked, told: {} };
  }, [known, asked]);
  if (!known || !form.resolved) return null;
  const other = differences(known.spec, form.resolved);
  const winner = html`the winner of <a href=${href(["searches", known.id])}>${known.name}</a>`;
  if (!other.length) {
    const { epochs, recipe, start } = known.spec.retrain;
    return html`<p class="help">As ${winner} was trained, so that they can be compared: for ${exact(epochs)} epochs, by the
      recipe ${recipe}, ${BEGAN[start]}.</p>`;
  }
  return html`<p class="note">Unlike this, ${winner} was trained ${other.join(", ")}: what they reach cannot be
    compared as it is.
    ${" "}<button type="button" class="plain" onClick=${take}>Train as the winner was</button></p>`;
}

/** @type {Record<string, string>} */
const BEGAN = { scratch: "from scratch", inherited: "from the weights of its distilled blocks" };

/** In which the training of the winner was another, in words. @param {any} search spec @param {any} here spec */
function differences({ retrain, dataset }, here) {
  const said = [];
  if (here.epochs !== retrain.epochs) said.push(`for ${exact(retrain.epochs)} epochs`);
  if (here.recipe !== retrain.recipe) said.push(`by the recipe ${retrain.recipe}`);
  if (here.start !== retrain.start) said.push(BEGAN[retrain.start] ?? retrain.start);
  if (Boolean(here.distill) !== Boolean(retrain.distill)) {
    said.push(retrain.distill ? "with its teacher’s answers" : "without a teacher’s answers");
  }
  if (here.dataset.name !== dataset.name || here.dataset.version !== dataset.version) {
    said.push(`on ${dataset.name}, version ${exact(dataset.version)}`);
  }
  return said;
}
