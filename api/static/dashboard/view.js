// What pages are written with: Preact's hooks, and `html`, its elements as a tagged template.
// Text and attributes set through it are never parsed as markup, whoever wrote them.

import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export { createContext, Fragment, render } from "./vendor/preact.js";
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "./vendor/hooks.js";

export const html = htm.bind(h);
