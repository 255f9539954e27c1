// Pictures of the API: read with the caller's key and shown as images, in which no script runs, whoever drew them.

import { Problem, send } from "../client.js";
import { html, useEffect, useState } from "../view.js";

/** @param {{path: string, alt: string, className?: string, width?: number, height?: number}} props */
export function Picture({ path, alt, className = "", width, height }) {
  const [state, setState] = useState({ url: "", why: "" });
  useEffect(() => {
    const going = new AbortController();
    let url = "";
    send("GET", path, { signal: going.signal })
      .then((answer) => answer.blob())
      .then((blob) => setState({ url: (url = URL.createObjectURL(blob)), why: "" }))
      .catch((error) => error instanceof Problem && setState({ url: "", why: error.message }));
    return () => {
      going.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [path]);
  if (state.why) return html`<span class="empty">${state.why}</span>`;
  return html`<img class="picture ${className}" src=${state.url || null} alt=${alt} width=${width} height=${height} />`;
}
