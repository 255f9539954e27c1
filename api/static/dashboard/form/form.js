// The form itself: what is written, what the service says of it, and sending it.

import { get } from "../client.js";
import { notify } from "../parts/notices.js";
import { ask, go, href, place } from "../router.js";
import { DRAFTS } from "../session.js";
import { html, useEffect, useMemo, useState } from "../view.js";
import { FormContext } from "./context.js";
import { at, merged, patchBetween, pointer, put, same } from "./document.js";
import { EMPTY, keep, useDraft } from "./draft.js";
import { fieldErrors } from "./errors.js";
import { useEstimate } from "./estimate.js";
import { Group, Unknown } from "./group.js";
import { Heading } from "./heading.js";
import { labelsOf } from "./labels.js";
import { limited } from "./limited.js";
import { RequestPanel } from "./request_panel.js";
import { bodyOf } from "./schema.js";
import { useSend } from "./send.js";
import { show } from "./show.js";
import { Sending } from "./sending.js";

/** Under which a form is kept. @param {string} kind @param {string | null} from */
const nameOf = (kind, from) => `${DRAFTS}${kind}:${from ?? ""}`;

/**
 * @param {object} props
 * @param {import("./page.js").JobForm} props.of
 * @param {any} props.api the OpenAPI document
 * @param {any} props.me who writes
 * @param {any} props.source the job that it is cloned from
 * @param {any} props.given by the address
 */
export function SpecForm({ of, api, me, source, given }) {
  const begin = source?.written ?? {};
  const written = useDraft(nameOf(of.kind, source?.id ?? null), begin);
  useGiven(given, written.change);
  const { spec, rough } = written.draft;
  const body = bodyFor(spec, source);
  const text = JSON.stringify(body);
  const lacking = of.lacks(spec);
  const estimate = useEstimate(`${of.kind}/estimate`, lacking.length ? null : text);
  const schema = limited(bodyOf(api, `/${of.kind}`), me.limits);
  const labels = useMemo(() => labelsOf(api, schema, of), [api, of]);
  const sending = useSend(of.kind, written, (made) => {
    written.clear(begin);
    go(href([of.kind, made.id]));
  });
  const refused = sending.of === text ? sending.problem : null;
  const fault = useFault(source, spec, labels);
  const said = [...refusals(of, labels, refused, spec), ...estimated(of, labels, estimate)];
  const errors = unlike([...fault, ...roughErrors(rough), ...(written.draft.tried ? lacking : []), ...said]);
  const form = useShared(api, labels, written, errors, estimate);
  const submit = async () => {
    written.change((/** @type {any} */ draft) => ({ ...draft, tried: true }));
    const open = [...roughErrors(rough), ...lacking];
    const [first] = open.length ? open : refusals(of, labels, await sending.run(text), spec);
    if (first) show(first.pointer);
  };
  const may = me.scopes.includes("run");
  return html`<${FormContext.Provider} value=${form}>
    <${Heading} of=${of} source=${source} may=${may} changed=${!same(spec, begin)} anew=${() => written.clear(begin)} />
    <div class="spec">
      <form class="spec-fields" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()} aria-label=${of.title}>
        <section class="panel"><${of.First} schema=${schema} estimate=${estimate} /></section>
        ${of.groups.map(([title, about, inside]) => html`<${Group} key=${title} title=${title} about=${about} schema=${schema} inside=${inside} />`)}
        <${Unknown} />
        <${Sending} of=${of} may=${may} busy=${sending.busy} problem=${refused} errors=${errors} estimate=${estimate} submit=${submit} />
      </form>
      <aside class="spec-aside" aria-label="What it would be">
        <${of.Estimate} estimate=${estimate} lacking=${lacking} />
        <${RequestPanel} kind=${of.kind} body=${body} paste=${(/** @type {any} */ found) => paste(of, written, found)} />
      </aside>
    </div>
  </${FormContext.Provider}>`;
}

/**
 * The failure of the job that this begins like, at the field that the address names (`field=teacher.weights`), until something else stands there.
 * @param {any} source @param {any} spec @param {import("./labels.js").Labels} labels
 */
function useFault(source, spec, labels) {
  const [asked] = useState(() => place.value.query.get("field")?.split(".").filter(Boolean) ?? null);
  const here = asked && pointer(asked);
  useEffect(() => {
    if (here) show(here);
  }, [here]);
  const detail = source?.error?.message;
  return here && detail && same(at(spec, asked), at(source.written, asked)) ? [{ pointer: here, detail: labels.tell(detail, asked ?? []), meant: [] }] : [];
}

/**
 * What the service did not take, at the fields that it is about.
 * @param {import("./page.js").JobForm} of @param {import("./labels.js").Labels} labels @param {import("../client.js").Problem | null} problem @param {any} spec
 */
function refusals(of, labels, problem, spec) {
  const own = problem ? (of.refusal?.(problem.body, spec) ?? []) : [];
  return own.length ? own : fieldErrors(problem, labels);
}

/**
 * What it would not take, while that is only estimated.
 * @param {import("./page.js").JobForm} of @param {import("./labels.js").Labels} labels @param {import("./estimate.js").Estimated} estimate
 */
function estimated(of, labels, { answer, problem }) {
  if (problem || answer?.feasible !== false) return fieldErrors(problem, labels);
  return of.refusal?.({ ...answer, feasible: answer.feasible_range }, answer.spec) ?? [];
}

/** Takes what the address asks for, once: a reload is not to undo what was chosen since. @param {any} given @param {(make: any) => void} change */
function useGiven(given, change) {
  const asked = JSON.stringify(given);
  useEffect(() => {
    if (!Object.keys(given).length) return;
    change((/** @type {any} */ draft) => ({ ...draft, spec: { ...draft.spec, ...given } }));
    ask(Object.fromEntries([...place.value.query.keys()].filter((name) => !["from", "field"].includes(name)).map((name) => [name, null])));
  }, [asked]);
}

/** What is sent: the spec, or of a clone what is different in it. @param {any} spec @param {any} source */
function bodyFor(spec, source) {
  if (!source) return spec;
  const patch = patchBetween(source.written, spec);
  // A null of its own cannot be said by a patch: then it is a spec like any other.
  return patch === null ? spec : { from: source.id, ...patch };
}

/** A document that was pasted; one that says `from` is a clone. @param {import("./page.js").JobForm} of @param {any} written @param {any} found */
function paste(of, written, found) {
  const { from, ...others } = found;
  if (typeof from !== "string") return written.change((/** @type {any} */ draft) => ({ ...draft, spec: found, rough: {} }));
  get(`${of.kind}/${encodeURIComponent(from)}`).then(
    ({ id, written: before }) => {
      keep(nameOf(of.kind, id), { ...EMPTY, spec: merged(before ?? {}, others) });
      go(href([of.kind, "new"], { from: id }));
    },
    (problem) => notify(`It begins with another ${of.one} (from): ${problem.message}`, { bad: true }),
  );
}

/**
 * What the parts of the form share.
 * @param {any} api @param {import("./labels.js").Labels} labels @param {any} written @param {import("./context.js").FieldError[]} errors @param {import("./estimate.js").Estimated} estimate
 * @returns {import("./context.js").Form}
 */
function useShared(api, labels, { draft, change }, errors, estimate) {
  const ways = useMemo(
    () => ({
      set: (/** @type {any} */ place, /** @type {any} */ value) => change((/** @type {any} */ old) => ({ ...old, spec: put(old.spec, place, value) ?? {} })),
      setRough: (/** @type {any} */ place, /** @type {string | null} */ text) => change((/** @type {any} */ old) => ({ ...old, rough: put(old.rough, [pointer(place)], text ?? undefined) })),
    }),
    [change],
  );
  const { spec, rough } = draft;
  return { api, labels, spec, ...ways, errors, resolved: estimate.answer?.spec ?? null, roughAt: (/** @type {any} */ place) => rough[pointer(place)] };
}

/** @param {Record<string, string>} rough */
const roughErrors = (rough) =>
  Object.entries(rough).map(([pointer, text]) => ({ pointer, detail: text ? "This is no JSON yet." : "This is no number.", meant: [] }));

/** Each once. @param {import("./context.js").FieldError[]} errors */
const unlike = (errors) => errors.filter((error, n) => n === errors.findIndex((one) => one.pointer === error.pointer && one.detail === error.detail));
