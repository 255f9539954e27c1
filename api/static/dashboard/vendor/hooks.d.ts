// What the dashboard uses of Preact's hooks, for its type check.

type Ending = void | (() => unknown);

export function useState<T>(initial: T | (() => T)): [T, (next: T | ((before: T) => T)) => void];
export function useReducer<S, A>(reduce: (before: S, action: A) => S, initial: S): [S, (action: A) => void];
export function useRef<T>(initial: T): { current: T };
export function useMemo<T>(make: () => T, inputs?: readonly unknown[]): T;
export function useCallback<T extends Function>(callback: T, inputs: readonly unknown[]): T;
export function useEffect(effect: () => Ending, inputs?: readonly unknown[]): void;
export function useLayoutEffect(effect: () => Ending, inputs?: readonly unknown[]): void;
export function useContext<T>(context: { readonly value?: T }): T;
export function useErrorBoundary(tell?: (error: any) => unknown): [any, () => void];
export function useId(): string;
