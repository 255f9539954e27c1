// Whose a thing is, where its project is not the caller's own: admins see those of all projects.

import { useCaller } from "../caller.js";
import { html } from "../view.js";

/**
 * The project, and the key that has asked for it. Where `pick` is given, the project is a button that picks it.
 * @param {{of: {project?: string | null, created_by?: string | null}, pick?: (project: string) => void}} props
 */
export function Whose({ of: { project, created_by: by }, pick }) {
  const own = useCaller()?.project;
  if (!own || !project || project === own) return null;
  return html`<div class="owner faint">
    ${pick
      ? html`<button type="button" class="label" title="Show only what is of the project ${project}" onClick=${() => pick(project)}>${project}</button>`
      : html`<span class="label" title="Project ${project}">${project}</span>`}
    ${by && html`by <bdi title=${by}>${by}</bdi>`}
  </div>`;
}
