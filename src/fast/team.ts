/**
 * One exploration by several threads: what they share, and what each of them does in a round
 * (docs/engine.md). A round takes known states that are not expanded, in pieces; new states are put
 * into one visited set and get their numbers afterwards, in the order in which one thread would
 * have met them.
 * Leaves out: who says what is next (lead.ts), and threads themselves.
 */
import { WILLS } from '../explore/bfs.js';
import type { System } from '../system/system.js';
import type { Sharing } from './sharing.js';
import { Steps } from './steps.js';
import { IntList, type Place, unpack, widthOf } from './store.js';
import type { Tables } from './tables.js';
import { type FoundData, findingData } from './tables-text.js';
import {
  arraysOf,
  C,
  HALTS,
  PHASES,
  PIECE,
  PIECE_WORDS,
  type TeamMemory,
  type TeamWay,
  WIDTH_MAX,
} from './team-memory.js';
import type { TabledStep } from './tree.js';

/** Numbers for new states that a thread takes at a time. */
const PART = 128;
const waitMs = 50;

/** Why a piece cannot be done now. */
class Halt extends Error {
  constructor(readonly why: number) {
    super('halt');
  }
}

/** What a thread did in a piece: where in its lists that begins and ends. */
interface Own {
  readonly piece: number;
  readonly from: number;
  readonly to: number;
  readonly firstEdge: number;
  readonly lastEdge: number;
}

export class Member {
  readonly control: Int32Array;
  readonly pieces: Int32Array;
  readonly words: Int32Array;
  readonly slots: Int32Array;
  readonly edges: Int32Array;
  readonly parent: Int32Array;
  readonly action: Int32Array;
  readonly ended: Uint8Array;
  private readonly fresh: Int32Array;
  private readonly claim: Int32Array;
  private readonly slotOf: Int32Array;
  private readonly numberOf: Int32Array;
  readonly sharing: Sharing;
  private readonly steps: Steps;
  private readonly liberties: number;
  private places: readonly Place[] = [];
  width = 1;
  private values = -1;
  private ids = new Int32Array(0);
  private next = new Int32Array(WIDTH_MAX);
  /** Triples: number in the round, parent, step. */
  private readonly claimed = new IntList();
  /** Triples: from, to (or ~number in the round), will. */
  private readonly links = new IntList();
  private own: Own[] = [];
  /** Findings that the threads have not heard of, by name. */
  private readonly found = new Map<string, FoundData>();
  private readonly told = new Set<string>();
  private part = 0;
  private partEnd = 0;
  /** The last successor came to nobody from a lesser state so far. */
  private isClaimed = false;

  constructor(
    memory: TeamMemory,
    readonly tables: Tables,
    readonly system: System,
    readonly way: TeamWay,
  ) {
    const arrays = arraysOf(memory);
    this.control = arrays.control;
    this.pieces = arrays.pieces;
    this.words = arrays.words;
    this.slots = arrays.slots;
    this.edges = arrays.edges;
    this.parent = arrays.parent;
    this.action = arrays.action;
    this.ended = arrays.ended;
    this.fresh = arrays.fresh;
    this.claim = arrays.claim;
    this.slotOf = arrays.slotOf;
    this.numberOf = arrays.numberOf;
    if (tables.sharing === null) throw new Error('these tables are not shared');
    this.sharing = tables.sharing;
    this.steps = new Steps(tables, system.environment);
    this.liberties = tables.libertiesOf(system.liberties);
    this.setPlaces(way.places);
  }

  /** Where in a state components stand from now on. */
  setPlaces(places: readonly Place[]): void {
    this.places = places;
    this.width = widthOf(places);
    this.values = -1;
  }

  private get(what: number): number {
    return Atomics.load(this.control, what);
  }

  /** Comes to the others, and does as it is told until all is over; `between`: two pieces. */
  serve(between: () => void = () => {}): void {
    const { control } = this;
    let turn = this.get(C.TURN);
    const index = Atomics.add(control, C.JOINED, 1) + 1;
    Atomics.notify(control, C.JOINED);
    if (index <= 0) return;
    for (;;) {
      while (this.get(C.TURN) === turn) Atomics.wait(control, C.TURN, turn, waitMs);
      turn = this.get(C.TURN);
      const phase = this.get(C.PHASE);
      if (index <= this.get(C.MEMBERS)) {
        this.does(phase, index, between);
        Atomics.add(control, C.DONE, 1);
        Atomics.notify(control, C.DONE);
      }
      if (phase === PHASES.end) return;
    }
  }

  /** Its part of a phase; `index` is 0 for the leading thread. */
  does(phase: number, index: number, between?: () => void): void {
    if (phase === PHASES.expand) this.expandAll(between);
    else if (phase === PHASES.count) this.countNew();
    else if (phase === PHASES.number) this.giveNumbers();
    else if (phase === PHASES.link) this.writeEdges();
    else if (phase === PHASES.rehash) this.rehash(index);
  }

  private expandAll(between?: () => void): void {
    const { control } = this;
    this.sharing.catchUp();
    this.own = [];
    this.claimed.length = 0;
    this.links.length = 0;
    this.part = 0;
    this.partEnd = 0;
    const length = this.get(C.LENGTH);
    const size = this.get(C.SIZE);
    while (this.get(C.HALT) === 0) {
      const piece = Atomics.add(control, C.NEXT, 1);
      if (piece * size >= length || !this.expandPiece(piece, size, length)) break;
      between?.();
    }
  }

  /** False when it could not be done; then no other piece is begun. */
  private expandPiece(piece: number, size: number, length: number): boolean {
    const { pieces, claimed, links, system } = this;
    const from = claimed.length;
    const firstEdge = links.length;
    const { asked = 0, leftOut = 0 } = system.environment ?? {};
    const first = this.get(C.FROM);
    let steps = 0;
    try {
      const end = Math.min(length, (piece + 1) * size);
      for (let i = piece * size; i < end; i++) steps += this.expand(first + i);
    } catch (error) {
      // Whatever it is: the leading thread meets it when it goes on alone from here.
      const why = error instanceof Halt ? error.why : HALTS.alone;
      Atomics.compareExchange(this.control, C.HALT, 0, why);
      return false;
    }
    const at = PIECE_WORDS * piece;
    pieces[at + PIECE.steps] = steps;
    pieces[at + PIECE.asked] = (system.environment?.asked ?? 0) - asked;
    pieces[at + PIECE.leftOut] = (system.environment?.leftOut ?? 0) - leftOut;
    pieces[at + PIECE.done] = 1;
    this.own.push({ piece, from, to: claimed.length, firstEdge, lastEdge: links.length });
    return true;
  }

  private read(state: number): Int32Array {
    const { tables } = this;
    const components = tables.parts.names.length;
    if (this.ids.length < components) this.ids = new Int32Array(components);
    unpack(this.words, this.width * state, this.places, this.ids);
    this.ids[tables.liberties] = this.liberties;
    return this.ids;
  }

  /** Returns how many steps it has. */
  private expand(state: number): number {
    const { tables, way } = this;
    this.sharing.at = state;
    const ids = this.read(state);
    if (tables.isComplete(ids)) {
      this.ended[state] = 1;
      return 0;
    }
    const steps = this.steps.of(ids);
    if (tables.values !== this.values) {
      const { places } = this;
      const fits = tables.sizes().every((size, i) => size - 1 <= (places[i]?.mask ?? -1));
      if (!fits) throw new Halt(HALTS.places);
      this.values = tables.values;
    }
    const last = steps.length - 1;
    for (let i = 0; i <= last; i++) {
      const action = way.order === 'reverse' ? last - i : i;
      const step = steps[action];
      if (step !== undefined) this.take(state, action, step);
    }
    return steps.length;
  }

  private take(state: number, action: number, step: TabledStep): void {
    for (const finding of step.findings) {
      const name = this.system.name(finding);
      if (this.found.has(name) || this.told.has(name)) continue;
      this.found.set(name, { name, finding: findingData(finding), state, action });
    }
    const { next, width, words, places } = this;
    const { components, ids } = step;
    for (let w = 0; w < width; w++) next[w] = words[width * state + w]!;
    for (let i = 0; i < components.length; i++) {
      const { word, shift, mask } = places[components[i]!]!;
      next[word] = (next[word]! & ~(mask << shift)) | (ids[i]! << shift);
    }
    const to = this.insert(state);
    if (this.isClaimed) {
      this.claimed.push(~to);
      this.claimed.push(state);
      this.claimed.push(action);
    }
    if (this.way.keepGraph) {
      this.links.push(state);
      this.links.push(to);
      this.links.push(WILLS.indexOf(step.will));
    }
  }

  private hash(words: Int32Array, at: number): number {
    let hash = 0;
    for (let w = 0; w < this.width; w++) {
      hash = Math.imul(hash ^ words[at + w]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    return Math.imul(hash, 0x85ebca6b);
  }

  /** The number of the state in `next`, or ~ its number in the round when it is new there. */
  private insert(parent: number): number {
    const { slots, next, width, words, fresh } = this;
    const size = this.get(C.SLOTS);
    let slot = this.hash(next, 0) & (size - 1);
    let mine = -1;
    this.isClaimed = false;
    for (;;) {
      let there = Atomics.load(slots, size + slot);
      if (there === 0) {
        if (mine < 0) {
          mine = this.newNumber(size);
          for (let w = 0; w < width; w++) fresh[width * mine + w] = next[w]!;
          this.claim[mine] = parent;
        }
        this.slotOf[mine] = size + slot;
        there = Atomics.compareExchange(slots, size + slot, 0, ~mine);
        if (there === 0) {
          this.part++;
          this.isClaimed = true;
          return ~mine;
        }
      }
      const all = there > 0 ? words : fresh;
      const at = width * (there > 0 ? there - 1 : ~there);
      let same = true;
      for (let w = 0; w < width && same; w++) same = all[at + w] === next[w];
      if (same) {
        if (there > 0) return there - 1;
        this.claimFor(~there, parent);
        return there;
      }
      slot = (slot + 1) & (size - 1);
    }
  }

  /** A number in the round for a state that may turn out to be known. */
  private newNumber(size: number): number {
    if (this.part === this.partEnd) {
      const first = Atomics.add(this.control, C.FRESH, PART);
      const known = this.get(C.COUNT) + first + PART;
      if (known > 0.6 * size || first + PART > this.claim.length) throw new Halt(HALTS.grow);
      this.part = first;
      this.partEnd = first + PART;
    }
    return this.part;
  }

  /** A new state belongs to the least state that it comes from. */
  private claimFor(fresh: number, parent: number): void {
    const { claim } = this;
    for (let old = Atomics.load(claim, fresh); parent < old; ) {
      const was = Atomics.compareExchange(claim, fresh, old, parent);
      if (was === old) {
        this.isClaimed = true;
        return;
      }
      old = was;
    }
  }

  /** Says how many states each piece has made that no earlier one has, and what it found. */
  private countNew(): void {
    const { own, pieces, claimed, claim, found, sharing } = this;
    const keep = this.get(C.KEEP);
    for (const { piece, from, to } of own) {
      if (piece >= keep) continue;
      let count = 0;
      for (let i = from; i < to; i += 3) {
        if (claim[claimed.items[i]!] === claimed.items[i + 1]) count++;
      }
      pieces[PIECE_WORDS * piece + PIECE.fresh] = count;
    }
    const cut = this.get(C.FROM) + keep * this.get(C.SIZE);
    for (const each of found.values()) {
      if (each.state >= cut) continue;
      sharing.tell(['found', each]);
      this.told.add(each.name);
    }
    found.clear();
  }

  /** Gives the new states of its pieces their numbers. */
  private giveNumbers(): void {
    const { own, pieces, claimed, claim, width, words, fresh, slots, sharing } = this;
    const keep = this.get(C.KEEP);
    const items = claimed.items;
    for (const { piece, from, to } of own) {
      if (piece >= keep) continue;
      let state = pieces[PIECE_WORDS * piece + PIECE.firstState]!;
      for (let i = from; i < to; i += 3) {
        const at = items[i]!;
        if (claim[at] !== items[i + 1]) continue;
        for (let w = 0; w < width; w++) words[width * state + w] = fresh[width * at + w]!;
        this.parent[state] = items[i + 1]!;
        this.action[state] = items[i + 2]!;
        this.numberOf[at] = state;
        state++;
        Atomics.store(slots, this.slotOf[at]!, state);
      }
    }
    sharing.unhear(this.get(C.FROM) + keep * this.get(C.SIZE));
    sharing.tellHeard();
  }

  private writeEdges(): void {
    const { own, pieces, links, edges, numberOf } = this;
    const keep = this.get(C.KEEP);
    const items = links.items;
    for (const { piece, firstEdge, lastEdge } of own) {
      if (piece >= keep) continue;
      let at = 3 * pieces[PIECE_WORDS * piece + PIECE.firstStep]!;
      for (let i = firstEdge; i < lastEdge; i += 3) {
        const to = items[i + 1]!;
        edges[at] = items[i]!;
        edges[at + 1] = to >= 0 ? to : numberOf[~to]!;
        edges[at + 2] = items[i + 2]!;
        at += 3;
      }
    }
  }

  /** Puts its share of all states into an empty set. */
  private rehash(index: number): void {
    this.sharing.catchUp();
    const { slots, words, width } = this;
    const size = this.get(C.SLOTS);
    const count = this.get(C.COUNT);
    const threads = this.get(C.MEMBERS) + 1;
    const end = Math.floor((count * (index + 1)) / threads);
    for (let state = Math.floor((count * index) / threads); state < end; state++) {
      let slot = this.hash(words, width * state) & (size - 1);
      while (Atomics.compareExchange(slots, size + slot, 0, state + 1) !== 0) {
        slot = (slot + 1) & (size - 1);
      }
    }
  }
}
