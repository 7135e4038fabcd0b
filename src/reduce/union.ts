/**
 * Keys that belong together, as pairs and lists of them turn up.
 * Leaves out: what the keys are.
 */

/** Sets of keys; each key is in one of them. */
export class Union {
  private readonly parent = new Map<string, string>();

  constructor(keys: readonly string[]) {
    for (const key of keys) this.parent.set(key, key);
  }

  private root(key: string): string {
    let at = key;
    for (let up = this.parent.get(at); up !== undefined && up !== at; up = this.parent.get(at)) {
      at = up;
    }
    return at;
  }

  /** False when they were together already. */
  join(keys: readonly string[]): boolean {
    const [first, ...rest] = keys.filter((key) => this.parent.has(key));
    let changed = false;
    for (const key of rest) {
      const [a, b] = [this.root(first ?? key), this.root(key)];
      if (a === b) continue;
      this.parent.set(b, a);
      changed = true;
    }
    return changed;
  }

  groups(): string[][] {
    const groups = new Map<string, string[]>();
    for (const key of this.parent.keys()) {
      const root = this.root(key);
      groups.set(root, [...(groups.get(root) ?? []), key]);
    }
    return [...groups.values()];
  }
}
