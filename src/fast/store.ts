/**
 * Visited states in a table of typed arrays: a state's components packed into a few words, states
 * in the order they were met (which is also the queue), and a hash table of their numbers. Exact:
 * all words are compared. A component that needs more bits has all states packed again.
 * Leaves out: what a state means.
 */

const START_STATES = 256;
/** A component with more values than this gets a bit to spare, so that packing again is rare. */
const SLACK_FROM = 8;
/** And with more states than this every component gets two. */
const MANY_STATES = 4096;

export interface Place {
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
}

/** A growing list of 32-bit integers. */
export class IntList {
  items: Int32Array;
  length = 0;

  constructor(capacity = START_STATES) {
    this.items = new Int32Array(capacity);
  }

  push(value: number): void {
    if (this.length === this.items.length) {
      const larger = new Int32Array(Math.max(START_STATES, 2 * this.items.length));
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.length++] = value;
  }

  get bytes(): number {
    return this.items.byteLength;
  }

  /** Takes over what another list held. */
  fill(items: Int32Array): void {
    this.items = items.slice();
    this.length = items.length;
  }

  /** Takes over a list that nothing is added to any more. */
  adopt(items: Int32Array, length: number): void {
    this.items = items;
    this.length = length;
  }

  get used(): Int32Array {
    return this.items.subarray(0, this.length);
  }
}

export class StateStore {
  count = 0;
  /** Words of a state. */
  width = 1;
  private places: Place[] = [];
  private words: Int32Array = new Int32Array(START_STATES);
  private slots = new Int32Array(4 * START_STATES);
  private scratch = new Int32Array(1);

  /** `sizes`: how many values each component has now; 1 for one that is kept outside. */
  constructor(sizes: readonly number[]) {
    this.layOut(sizes);
  }

  get bytes(): number {
    return this.words.byteLength + this.slots.byteLength;
  }

  /** The states met so far, and where in a state each component stands. */
  get saved(): { readonly places: readonly Place[]; readonly words: Int32Array } {
    return { places: this.places, words: this.words.subarray(0, this.width * this.count) };
  }

  /** Takes over the states of another store. */
  restore(places: readonly Place[], words: Int32Array, count: number): void {
    this.places = [...places];
    this.width = widthOf(places);
    this.count = count;
    let size = this.slots.length;
    while (size / 2 <= count) size *= 2;
    this.slots = new Int32Array(size);
    this.words = new Int32Array(this.capacity() * this.width);
    this.words.set(words);
    this.scratch = new Int32Array(this.width);
    for (let state = 0; state < count; state++) {
      this.slots[this.find(this.words, this.width * state)] = state + 1;
    }
  }

  /** Takes over states that nothing is added to any more. */
  adopt(places: readonly Place[], words: Int32Array, count: number): void {
    this.places = [...places];
    this.width = widthOf(places);
    this.count = count;
    this.words = words;
    this.slots = new Int32Array(0);
  }

  private layOut(sizes: readonly number[]): void {
    this.places = placesFor(sizes, this.count > MANY_STATES);
    this.width = widthOf(this.places);
    this.words = new Int32Array(Math.max(START_STATES, this.capacity()) * this.width);
    this.scratch = new Int32Array(this.width);
  }

  private capacity(): number {
    return this.slots.length / 2;
  }

  /** A component has values up to these sizes: packs all states again when one does not fit. */
  fit(sizes: readonly number[]): void {
    const fits = sizes.every((size, i) => size - 1 <= (this.places[i]?.mask ?? -1));
    if (fits) return;
    const old = { places: this.places, words: this.words, width: this.width };
    this.layOut(sizes);
    const ids = new Int32Array(sizes.length);
    this.slots.fill(0);
    for (let state = 0; state < this.count; state++) {
      unpack(old.words, old.width * state, old.places, ids);
      pack(ids, this.places, this.words, this.width * state, this.width);
      this.slots[this.find(this.words, this.width * state)] = state + 1;
    }
  }

  /** The components of a state. */
  read(state: number, ids: Int32Array): void {
    unpack(this.words, this.width * state, this.places, ids);
  }

  /** The slot where a state stands, or where it belongs: then the slot is 0. */
  private find(words: Int32Array, at: number): number {
    const { width, slots } = this;
    const mask = slots.length - 1;
    let hash = 0;
    for (let w = 0; w < width; w++) {
      hash = Math.imul(hash ^ words[at + w]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let slot = Math.imul(hash, 0x85ebca6b) & mask;
    for (;;) {
      const there = slots[slot]!;
      if (there === 0) return slot;
      const other = width * (there - 1);
      let same = true;
      for (let w = 0; w < width && same; w++) same = this.words[other + w] === words[at + w];
      if (same) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** The number of a state; it is new when it equals the count before. */
  add(ids: Int32Array): number {
    pack(ids, this.places, this.scratch, 0, this.width);
    return this.place();
  }

  /**
   * The number of the state that comes from another one when components change; it is new when it
   * equals the count before.
   */
  step(from: number, components: readonly number[], ids: readonly number[]): number {
    const { scratch, width, words, places } = this;
    for (let w = 0; w < width; w++) scratch[w] = words[width * from + w]!;
    for (let i = 0; i < components.length; i++) {
      const { word, shift, mask } = places[components[i]!]!;
      scratch[word] = (scratch[word]! & ~(mask << shift)) | (ids[i]! << shift);
    }
    return this.place();
  }

  private place(): number {
    const slot = this.find(this.scratch, 0);
    const there = this.slots[slot]!;
    if (there > 0) return there - 1;
    const state = this.count++;
    this.slots[slot] = state + 1;
    this.words.set(this.scratch, this.width * state);
    if (this.count === this.capacity()) this.grow();
    return state;
  }

  private grow(): void {
    this.slots = new Int32Array(2 * this.slots.length);
    const words = new Int32Array(this.capacity() * this.width);
    words.set(this.words);
    this.words = words;
    for (let state = 0; state < this.count; state++) {
      this.slots[this.find(words, this.width * state)] = state + 1;
    }
  }
}

/** Where in a state components with so many values stand; `many`: packing again would be dear. */
export function placesFor(sizes: readonly number[], many: boolean): Place[] {
  let word = 0;
  let used = 0;
  return sizes.map((size) => {
    const slack = many ? 2 : size > SLACK_FROM ? 1 : 0;
    const bits = size <= 1 ? 0 : Math.min(31, 32 - Math.clz32(size - 1) + slack);
    if (used + bits > 32) {
      word++;
      used = 0;
    }
    const place = { word, shift: bits === 0 ? 0 : used, mask: 2 ** bits - 1 };
    used += bits;
    return place;
  });
}

/** Words of a state. */
export function widthOf(places: readonly Place[]): number {
  return 1 + Math.max(0, ...places.map(({ word }) => word));
}

export function pack(
  ids: Int32Array,
  places: readonly Place[],
  words: Int32Array,
  at: number,
  width: number,
): void {
  for (let w = 0; w < width; w++) words[at + w] = 0;
  for (let i = 0; i < places.length; i++) {
    const { word, shift, mask } = places[i]!;
    words[at + word] = words[at + word]! | ((ids[i]! & mask) << shift);
  }
}

/** The components of a packed state. */
export function unpack(
  words: Int32Array,
  at: number,
  places: readonly Place[],
  ids: Int32Array,
): void {
  for (let i = 0; i < places.length; i++) {
    const { word, shift, mask } = places[i]!;
    ids[i] = (words[at + word]! >>> shift) & mask;
  }
}
