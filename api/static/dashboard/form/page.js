// The page of a new job: what the form needs is read first.

import { openapi, Problem } from "../client.js";
import { useResource, useTitle } from "../hooks.js";
import { Loading, ProblemNote } from "../parts/basics.js";
import { usePlace } from "../router.js";
import { html, useEffect, useState } from "../view.js";
import { SpecForm } from "./form.js";

/**
 * @typedef {object} JobForm what is particular to a kind of job
 * @property {string} kind `searches`
 * @property {string} one "search"
 * @property {string} title
 * @property {string} intro
 * @property {(spec: any) => import("./context.js").FieldError[]} lacks what has to be written before anything can be said of it
 * @property {(query: URLSearchParams) => any} given what the address asks for
 * @property {any} First the fields that matter most
 * @property {[string, string, any][]} groups title, what is in it, component
 * @property {any} Estimate
 * @property {Record<string, string>} labels what fields are called that have other names here than in the API, by pointer
 * @property {(body: any, spec: any) => import("./context.js").FieldError[]} [refusal] what is wrong with values that fit the schema, of an answer that says so
 */

/** @param {{of: JobForm}} props */
export function NewJob({ of }) {
  useTitle(of.title);
  const { query } = usePlace();
  const from = query.get("from");
  const me = useResource("keys/me");
  const { api, problem, retry } = useApi();
  const source = useResource(from && `${of.kind}/${encodeURIComponent(from)}`);
  const wrong = problem ?? source.problem ?? me.problem;
  if (wrong) return html`<h1>${of.title}</h1><${ProblemNote} of=${wrong} retry=${() => (retry(), source.reload(), me.reload())} />`;
  if (!api || source.loading || me.loading) return html`<h1>${of.title}</h1><${Loading} />`;
  if (from && !source.data.written) return html`<h1>${of.title}</h1><p class="empty">This ${of.one} has no spec of its own to begin with: the search that it is part of asked for it.</p>`;
  return html`<${SpecForm} key=${from ?? ""} of=${of} api=${api} me=${me.data} source=${from ? source.data : null} given=${of.given(query)} />`;
}

function useApi() {
  const [state, setState] = useState({ api: /** @type {any} */ (null), problem: /** @type {Problem | null} */ (null) });
  const read = () => {
    openapi().then(
      (api) => setState({ api, problem: null }),
      (error) => setState({ api: null, problem: error }),
    );
  };
  useEffect(read, []);
  return { ...state, retry: read };
}

