/** The values a component was met with; a value's number is its index. */
import type { Data } from './track.js';

export class Local {
  readonly data: Data[] = [];
  private readonly byText = new Map<string, number>();

  /** `make` is to put a value that is not there. */
  constructor(private readonly make: (text: string) => void) {}

  get texts(): readonly string[] {
    return [...this.byText.keys()];
  }

  has(text: string): boolean {
    return this.byText.has(text);
  }

  put(text: string): void {
    this.byText.set(text, this.data.push(JSON.parse(text)) - 1);
  }

  id(text: string): number {
    const found = this.byText.get(text);
    if (found !== undefined) return found;
    this.make(text);
    return this.byText.get(text) ?? -1;
  }
}
