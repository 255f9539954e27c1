// Pictures of the API: read with the caller's key and shown as images, in which no script runs, whoever drew them.

import { Problem, send } from "../client.js";
import { html, useEffect, useRef, useState } from "../view.js";

/** @param {{path: string, alt: string, className?: string, width?: number, height?: number, lazy?: boolean}} props `lazy`: read when it comes into view */
export function Picture({ path, alt, className = "", width, height, lazy = false }) {
  const [state, setState] = useState({ url: "", why: "" });
  const [place, seen] = useSeen(!lazy);
  useEffect(() => {
    if (!seen) return;
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
  }, [path, seen]);
  if (state.why) return html`<span class="empty">${state.why}</span>`;
  return html`<img ref=${place} class="picture ${className}" src=${state.url || null} alt=${alt} width=${width} height=${height} />`;
}

/**
 * Whether an element has come into view.
 * @param {boolean} atOnce
 * @returns {[{current: HTMLElement | null}, boolean]}
 */
function useSeen(atOnce) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const [seen, setSeen] = useState(atOnce);
  useEffect(() => {
    if (seen || !place.current) return;
    const watch = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true));
    watch.observe(place.current);
    return () => watch.disconnect();
  }, [seen]);
  return [place, seen];
}
