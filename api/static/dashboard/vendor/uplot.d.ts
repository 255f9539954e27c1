// What the dashboard uses of uPlot, for its type check. Its options are not checked.

export default class uPlot {
  constructor(options: any, data: any, target: HTMLElement);
  static join(tables: any[], nullModes?: any): any;
  static rangeNum(least: number, most: number, padding: number, soft: boolean): [number, number];
  setSize(size: { width: number; height: number }): void;
  destroy(): void;
  [name: string]: any;
}
