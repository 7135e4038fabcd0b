/** A queue by cost: cheapest first; of one cost, first come first. Costs are few and whole. */
export class Queue<T extends { readonly least: number }> {
  private readonly byCost = new Map<number, T[]>();
  /** Dearest first. */
  private readonly costs: number[] = [];

  push(entry: T): void {
    const list = this.byCost.get(entry.least);
    if (list !== undefined) {
      list.push(entry);
      return;
    }
    this.byCost.set(entry.least, [entry]);
    const at = this.costs.findIndex((cost) => cost < entry.least);
    this.costs.splice(at < 0 ? this.costs.length : at, 0, entry.least);
  }

  pop(): T | undefined {
    for (let cost = this.costs.at(-1); cost !== undefined; cost = this.costs.at(-1)) {
      const entry = this.byCost.get(cost)?.shift();
      if (entry !== undefined) return entry;
      this.byCost.delete(cost);
      this.costs.pop();
    }
    return undefined;
  }
}
