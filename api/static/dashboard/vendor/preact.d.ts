// What the dashboard uses of Preact, for its type check. Elements and components are not checked: they stand in templates.

export function h(type: any, props: any, ...children: any[]): any;
export function render(element: any, into: Element | DocumentFragment): void;
export function createContext<T>(value: T): { Provider: any; Consumer: any; readonly value?: T };
export function createRef<T = any>(): { current: T | null };
export const Fragment: any;
