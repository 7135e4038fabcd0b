/**
 * Explorations that other threads join: what such a thread is told, and how it explores along. Its
 * tables are filled from the ledger of those it joins.
 * Leaves out: threads (cli/helpers.ts), and the exploration itself (fast/together.ts).
 */
import { Ledger, type LedgerMemory } from '../fast/ledger.js';
import type { Place } from '../fast/store.js';
import { Tables } from '../fast/tables.js';
import { Member } from '../fast/team.js';
import { C, controlOf, type TeamMemory, type TeamWay } from '../fast/team-memory.js';
import type { TeamSource } from '../fast/together.js';
import type { Program } from '../litmus/program.js';
import { System } from '../system/system.js';
import { Facts, Passing } from './recorder.js';
import type { Liberty } from './result.js';
import { type Scene, type Source, sceneOf } from './scene.js';

/** An exploration that is under way. */
export interface Join {
  readonly source: Source;
  readonly liberties: readonly Liberty[];
  /** Evictions and fills that nothing could tell are left out, of this one; of some. */
  readonly lazy: boolean;
  readonly por: boolean;
  readonly ledger: LedgerMemory;
  readonly memory: TeamMemory;
  readonly way: TeamWay;
}

/** Threads that may join in. */
export interface TeamHost extends Omit<TeamSource, 'call'> {
  call(join: Join): void;
}

/** The same for one exploration. */
export function teamOf(host: TeamHost, about: Omit<Join, 'memory' | 'way'>): TeamSource {
  return {
    from: host.from,
    soloStates: host.soloStates,
    eager: host.eager,
    get idle() {
      return host.idle;
    },
    get lost() {
      return host.lost;
    },
    call: (memory, way) => host.call({ ...about, memory, way }),
  };
}

/** Tables as the threads of one ledger have them. */
interface Replica {
  readonly ledger: number;
  readonly scene: Scene;
  readonly tables: Tables;
}

/** A thread that joins in one exploration after the other. */
export class Joiner {
  private replica: Replica | null = null;

  constructor(private readonly written: Program) {}

  /** Explores along until all is over. `ledger` is a number for the one of `join`. */
  join(join: Join, ledger: number, between: () => void): void {
    const { liberties, lazy, memory, way } = join;
    if (Atomics.load(controlOf(memory), C.JOINED) < 0) return;
    if (this.replica?.ledger !== ledger) this.replica = this.replicaOf(join, ledger);
    const { scene, tables } = this.replica;
    const { sharing } = tables;
    if (sharing === null) throw new Error('these tables are not shared');
    let places: readonly Place[] = way.places;
    sharing.told = (entry) => {
      if (entry[0] === 'places') places = entry[1];
    };
    sharing.catchUp();
    const facts = new Facts();
    const { program, layout } = scene;
    const system = new System(program, layout, new Set(liberties), facts, false, lazy);
    const member = new Member(memory, tables, system, { ...way, places });
    sharing.told = (entry) => {
      if (entry[0] === 'places') member.setPlaces(entry[1]);
    };
    member.serve(between);
    // Not kept: whatever it has taken up and not told was of no use.
    sharing.unhear(0);
    sharing.at = -1;
  }

  private replicaOf({ source, por, ledger: memory }: Join, ledger: number): Replica {
    const scene = sceneOf(this.written, source);
    const { program, layout } = scene;
    const recorder = new Passing(new Facts(), layout);
    const tables = new Tables(program, layout, recorder, por);
    tables.share(new Ledger(memory), recorder);
    return { ledger, scene, tables };
  }
}
