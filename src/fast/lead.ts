/**
 * The leading thread of an exploration by several: begins rounds, decides up to which piece a round
 * is kept, makes room, and ends. What it hands back is as one thread would have it, after some
 * state; going on from there is no matter of this file (explore.ts).
 * Leaves out: what threads do in a round (team.ts), and how they are called (verdict/ahead.ts).
 */
import type { Limits } from '../explore/bfs.js';
import { pack, type Place, placesFor, unpack, widthOf } from './store.js';
import { NoRoom } from './sharing.js';
import type { Member } from './team.js';
import {
  C,
  HALTS,
  PHASES,
  PIECE,
  PIECE_WORDS,
  PIECES_MAX,
  SLOTS_MIN,
  WIDTH_MAX,
} from './team-memory.js';
import type { Entry, FoundData } from './tables-text.js';

/** What a leading thread is told, and asks. */
export interface LeadOptions {
  readonly limits: Limits;
  readonly now: () => number;
  readonly started: number;
  readonly tick: (states: number, transitions: number, found: number) => boolean;
  /** Some thread that came is gone. */
  readonly lost: () => boolean;
  /** What was found is all that was asked for; the state that has the last of it is not kept. */
  readonly enough: (found: ReadonlyMap<string, FoundData>) => boolean;
  /** What an answer of the reference engine costs in the tables of one thread. */
  readonly leafBytes: number;
  /** Rounds of fewer states are not worth a word to other threads. */
  readonly soloStates: number;
}

export interface Led {
  /** `alone`: there is more to do, by one thread. */
  readonly outcome: 'complete' | 'alone' | 'seconds' | 'memory' | 'interrupted';
  /** The next state to expand. */
  readonly at: number;
  readonly count: number;
  readonly transitions: number;
  /** In the order in which one thread would have met them. */
  readonly found: ReadonlyMap<string, FoundData>;
  readonly places: readonly Place[];
  readonly asked: number;
  readonly leftOut: number;
  /** Threads that came. */
  readonly joined: number;
}

/** What stands in the shared arrays at first. */
export interface Beginning {
  readonly at: number;
  readonly count: number;
  readonly transitions: number;
  readonly places: readonly Place[];
}

/** The threads cannot go on together. */
class Apart extends Error {}

/** States of a round: what a thread has in hand for a round stays a few megabytes. */
const ROUND_MAX = 2 ** 17;
/** States of a piece at most, and pieces for each thread where there are fewer states. */
const PIECE_STATES = 64;
const PIECES_EACH = 16;
/** Rounds of which nothing is kept, one after the other. */
const STUCK_MAX = 4;
const waitMs = 20;

export class Lead {
  private at: number;
  private count: number;
  private transitions: number;
  private places: readonly Place[];
  private asked = 0;
  private leftOut = 0;
  private mostFresh = 0;
  /** Rounds since the last of which something was kept. */
  private stuck = 0;
  private stop: 'seconds' | 'memory' | 'interrupted' | null = null;
  private readonly found = new Map<string, FoundData>();
  private news: FoundData[] = [];
  private heard: (readonly [number, string])[] = [];
  private readonly control: Int32Array;
  private readonly pieces: Int32Array;

  constructor(
    private readonly member: Member,
    private readonly options: LeadOptions,
    beginning: Beginning,
  ) {
    this.control = member.control;
    this.pieces = member.pieces;
    this.at = beginning.at;
    this.count = beginning.count;
    this.transitions = beginning.transitions;
    this.places = beginning.places;
    member.sharing.ledger.check = () => this.checkLost();
    member.sharing.told = (entry) => this.hear(entry);
  }

  /** Hears what threads say in the ledger of anything but tables. */
  private hear(entry: Entry): void {
    if (entry[0] === 'found') this.news.push(entry[1]);
    else if (entry[0] === 'heard') this.heard.push(...entry[1]);
    else if (entry[0] === 'places') {
      this.places = entry[1];
      this.member.setPlaces(entry[1]);
    }
  }

  run(): Led {
    const { sharing } = this.member;
    let outcome: Led['outcome'] = 'complete';
    let joined = 0;
    try {
      this.set(C.MEMBERS, this.get(C.JOINED));
      sharing.tell(['places', this.places]);
      this.makeSlots(SLOTS_MIN);
      let ended: Led['outcome'] | null = null;
      while (this.at < this.count && ended === null) ended = this.round();
      outcome = ended ?? 'complete';
    } catch (error) {
      if (!(error instanceof Apart || error instanceof NoRoom)) throw error;
      outcome = 'alone';
    } finally {
      joined = Math.max(0, Atomics.exchange(this.control, C.JOINED, -1_000_000));
      this.phase(PHASES.end, joined);
      sharing.unhear(this.at);
      sharing.ledger.check = () => {};
      sharing.told = () => {};
      sharing.at = -1;
    }
    this.recordHeard();
    const { at, count, transitions, found, places, asked, leftOut } = this;
    return { outcome, at, count, transitions, found, places, asked, leftOut, joined };
  }

  /** What counts as recorded, as if one thread had met it, state by state. */
  private recordHeard(): void {
    const { sharing } = this.member;
    const kept = this.heard.filter(([state]) => state < this.at);
    for (const [, facts] of kept.sort(([a], [b]) => a - b)) sharing.merge(facts);
  }

  private get(what: number): number {
    return Atomics.load(this.control, what);
  }

  private set(what: number, value: number): void {
    Atomics.store(this.control, what, value);
  }

  private checkLost(): void {
    if (this.options.lost()) throw new Apart('a thread is gone');
  }

  /** Has the other threads begin with a phase. */
  private phase(phase: number, members: number): void {
    this.set(C.DONE, 0);
    this.set(C.PHASE, phase);
    this.set(C.MEMBERS, members);
    Atomics.add(this.control, C.TURN, 1);
    Atomics.notify(this.control, C.TURN);
  }

  /** A phase from begin to end, with this thread's part of it. */
  private all(phase: number): void {
    const { control } = this;
    const members = this.get(C.MEMBERS);
    if (members > 0) this.phase(phase, members);
    this.member.does(phase, 0, () => this.look());
    for (let done = this.get(C.DONE); members > 0 && done < members; done = this.get(C.DONE)) {
      Atomics.wait(control, C.DONE, done, waitMs);
      this.checkLost();
      if (phase === PHASES.expand) this.look();
    }
  }

  /** Time, memory, Ctrl-C. */
  private look(): void {
    const { limits, now, started, tick } = this.options;
    const states = this.count + this.get(C.FRESH);
    if (now() - started > limits.maxSeconds) this.stop ??= 'seconds';
    if (this.bytes() > limits.maxMemoryBytes) this.stop ??= 'memory';
    if (tick(states, this.transitions, this.found.size)) this.stop ??= 'interrupted';
    if (this.stop !== null) Atomics.compareExchange(this.control, C.HALT, 0, HALTS.stop);
  }

  private bytes(): number {
    const { member, count } = this;
    const threads = 1 + Math.max(0, this.get(C.JOINED));
    const words = 4 * member.width;
    return (
      count * (words + 9) +
      this.mostFresh * (words + 12) +
      8 * this.get(C.SLOTS) +
      (member.way.keepGraph ? 12 * this.transitions : 0) +
      threads * this.options.leafBytes * member.tables.leaves +
      member.sharing.ledger.bytes
    );
  }

  /** Null: all goes on. */
  private round(): Led['outcome'] | null {
    const { member } = this;
    const length = Math.min(this.count - this.at, ROUND_MAX);
    const joined = Math.max(0, this.get(C.JOINED));
    const members = length < this.options.soloStates ? 0 : joined;
    const share = Math.ceil(length / (PIECES_EACH * (members + 1)));
    const size = Math.max(Math.ceil(length / PIECES_MAX), Math.min(PIECE_STATES, share));
    const pieces = Math.ceil(length / size);
    this.pieces.fill(0, 0, PIECE_WORDS * pieces);
    for (const what of [C.HALT, C.NEXT, C.FRESH]) this.set(what, 0);
    this.set(C.MEMBERS, members);
    this.set(C.FROM, this.at);
    this.set(C.LENGTH, length);
    this.set(C.SIZE, size);
    this.set(C.COUNT, this.count);
    this.news = [];
    this.all(PHASES.expand);
    this.mostFresh = Math.max(this.mostFresh, this.get(C.FRESH));
    let done = 0;
    while (done < pieces && this.pieces[PIECE_WORDS * done + PIECE.done] === 1) done++;
    this.set(C.KEEP, done);
    this.all(PHASES.count);
    member.sharing.catchUp();
    const keep = this.keepFound(this.keepStates(done), size);
    this.set(C.KEEP, keep);
    const [states, steps] = this.placePieces(keep);
    this.all(PHASES.number);
    if (member.way.keepGraph) this.all(PHASES.link);
    member.sharing.catchUp();
    this.at += Math.min(length, keep * size);
    this.count += states;
    this.transitions += steps;
    if (this.stop !== null) return this.stop;
    if (keep < done) return 'alone';
    return this.makeRoom(keep, pieces);
  }

  /** Up to which piece there are not too many states. */
  private keepStates(done: number): number {
    let states = this.count;
    for (let piece = 0; piece < done; piece++) {
      states += this.pieces[PIECE_WORDS * piece + PIECE.fresh] ?? 0;
      if (states > this.options.limits.maxStates) return piece;
    }
    return done;
  }

  /** Takes up what was found, up to the piece in which that is enough. */
  private keepFound(keep: number, size: number): number {
    const { found, at } = this;
    for (const each of this.news.sort((a, b) => a.state - b.state)) {
      if (each.state >= at + keep * size) break;
      if (found.has(each.name)) continue;
      found.set(each.name, each);
      if (!this.options.enough(found)) continue;
      const cut = Math.floor((each.state - at) / size);
      for (const [name, { state }] of found) if (state >= at + cut * size) found.delete(name);
      return cut;
    }
    return keep;
  }

  /** Says where states and edges of each piece begin; returns how many there are. */
  private placePieces(keep: number): readonly [states: number, steps: number] {
    const { pieces } = this;
    let states = 0;
    let steps = 0;
    for (let at = 0; at < PIECE_WORDS * keep; at += PIECE_WORDS) {
      pieces[at + PIECE.firstState] = this.count + states;
      pieces[at + PIECE.firstStep] = this.transitions + steps;
      states += pieces[at + PIECE.fresh] ?? 0;
      steps += pieces[at + PIECE.steps] ?? 0;
      this.asked += pieces[at + PIECE.asked] ?? 0;
      this.leftOut += pieces[at + PIECE.leftOut] ?? 0;
    }
    const { member } = this;
    const full = this.count + states > member.parent.length;
    const last = 3 * (this.transitions + steps);
    if (full || (member.way.keepGraph && last > member.edges.length)) throw new Apart('no room');
    return [states, steps];
  }

  /** After a round: for whatever kept it from being done as a whole, and for the next one. */
  private makeRoom(keep: number, pieces: number): 'alone' | null {
    const why = this.get(C.HALT);
    const slots = this.get(C.SLOTS);
    if (keep === pieces) {
      if (3 * this.count > slots) this.makeSlots(2 * slots);
      this.stuck = 0;
      return null;
    }
    // What one thread cannot do either is not for many.
    this.stuck = keep > 0 ? 0 : this.stuck + 1;
    if (why === HALTS.alone || this.stuck > STUCK_MAX) return 'alone';
    if (why === HALTS.places) this.packAgain();
    this.makeSlots(why === HALTS.grow ? 2 * slots : slots);
    return null;
  }

  /** Some component has more values than its bits can tell. */
  private packAgain(): void {
    const { member, count } = this;
    const { tables, words } = member;
    const sizes = tables.sizes();
    const places = placesFor(sizes, true);
    const width = widthOf(places);
    if (width > WIDTH_MAX) throw new Apart('wide states');
    const old = { places: this.places, width: member.width };
    const copy = words.slice(0, old.width * count);
    const ids = new Int32Array(sizes.length);
    for (let state = 0; state < count; state++) {
      unpack(copy, old.width * state, old.places, ids);
      pack(ids, places, words, width * state, width);
    }
    member.sharing.tell(['places', places]);
  }

  private makeSlots(least: number): void {
    let size = Math.max(least, this.get(C.SLOTS));
    while (size < 3 * this.count) size *= 2;
    const { slots } = this.member;
    if (2 * size > slots.length) throw new Apart('no room');
    if (size === this.get(C.SLOTS)) slots.fill(0, size, 2 * size);
    this.set(C.SLOTS, size);
    this.set(C.COUNT, this.count);
    this.all(PHASES.rehash);
  }
}
