/**
 * Threads that explore ahead of a check: its side, theirs, and the shared words between them. The
 * check itself never turns to its event loop, so tasks go out as messages and everything that it
 * has to hear of at once stands in shared memory: who has begun what, how far it is, who is gone.
 * A task that nobody has begun, or that was lost with its thread, is made by the check itself.
 * Leaves out: starting threads (pool.ts), and what a task is (verdict/ahead.ts).
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { type Ahead, type Answer, type Asked, exploreFor, type Task } from '../verdict/ahead.js';
import { type Join, Joiner, type TeamHost } from '../verdict/joined.js';
import { reasonOf } from './errors.js';
import { faultOnOrder } from './faults.js';
import type { Input } from './inputs.js';

/** So many states take about a second; a thread of ours starts in a tenth of one. */
export const AHEAD_FROM = 20_000;
/** An exploration of so many states is worth it that threads join in. */
export const TEAM_FROM = 50_000;
/** And a round of so many is worth a word to them. */
const ROUND_FROM = 64;

/** What a helper thread begins with. */
export interface HelperStart {
  readonly kind: 'helper';
  readonly input: Input;
  readonly port: MessagePort;
  readonly control: SharedArrayBuffer;
  /** Among the helpers of the check. */
  readonly index: number;
}

/** Helpers that a check asks the pool to start. */
export interface HelpersWanted {
  readonly ports: readonly MessagePort[];
  readonly control: SharedArrayBuffer;
}

interface Order {
  readonly id: number;
  readonly task: Task;
}
/** Which of the check's ledgers it is has a number: in another thread it is another object. */
interface Call {
  readonly join: Join;
  readonly ledger: number;
}
type Reply =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly trouble: string };

/** How a task stands; from BEGUN on the number of the helper that is at it is added. */
const OPEN = 0;
const DROPPED = 1;
const DONE = 2;
/** It cannot be made ahead. */
const REFUSED = 3;
const BEGUN = 4;

/** More threads, and more tasks of one check, than anybody has a use for. */
const HELPERS_MAX = 64;
const TASKS_MAX = 4096;
/** Words of a task: how it stands, whether to hand it over as it is, states, transitions. */
const EACH = 4;
/** Between two looks at how far a task is. */
const waitMs = 50;

/** For benches: the environment may say otherwise; 0: never. */
export function fromOrder(name: string, usual: number): number {
  const order = process.env[name];
  return order === undefined ? usual : Number(order) || Infinity;
}

function placeOf(id: number): number {
  return HELPERS_MAX + EACH * id;
}

/** To be called when a helper is gone: what it had begun is made elsewhere. */
export function markGone(control: SharedArrayBuffer, index: number): void {
  Atomics.store(new Int32Array(control), index, 1);
}

/** The check's side. */
export class Helpers implements Ahead {
  private readonly control = new SharedArrayBuffer(4 * placeOf(TASKS_MAX));
  private readonly words = new Int32Array(this.control);
  private ports: readonly MessagePort[] | null = null;
  private readonly answers = new Map<number, Reply>();
  private tasks = 0;
  private readonly ledgers: SharedArrayBuffer[] = [];
  readonly from: number;
  trouble: string | null = null;

  /** `eager`: for tests; asked from so many states on, and waited for until they begin. */
  constructor(
    private readonly threads: number,
    private readonly start: (wanted: HelpersWanted) => void,
    private readonly eager?: number,
    /** The same for threads that join in. */
    private readonly eagerTeam?: number,
  ) {
    this.from = eager ?? fromOrder('CIVAC_AHEAD_FROM', AHEAD_FROM);
  }

  get team(): TeamHost {
    const helpers = this;
    return {
      from: this.eagerTeam ?? fromOrder('CIVAC_TOGETHER_FROM', TEAM_FROM),
      soloStates: this.eagerTeam === undefined ? ROUND_FROM : 1,
      eager: this.eagerTeam === undefined ? null : 'waits',
      get idle() {
        return helpers.idle;
      },
      get lost() {
        return helpers.isLost;
      },
      call: (join) => this.call(join),
    };
  }

  private get isLost(): boolean {
    const isLost = (this.ports ?? []).some((_, index) => Atomics.load(this.words, index) !== 0);
    if (isLost) this.trouble ??= 'a thread was lost';
    return isLost;
  }

  /** There are more threads than tasks that are open or under way. */
  private get idle(): boolean {
    if (this.isLost) return false;
    let busy = 0;
    for (let id = 0; id < this.tasks; id++) {
      const state = Atomics.load(this.words, placeOf(id));
      if (state === OPEN || state >= BEGUN) busy++;
    }
    return busy < this.threads;
  }

  private call(join: Join): void {
    const { head } = join.ledger;
    if (!this.ledgers.includes(head)) this.ledgers.push(head);
    const call: Call = { join, ledger: this.ledgers.indexOf(head) };
    this.ports ??= this.begin();
    for (const port of this.ports) port.postMessage(call);
  }

  ask(task: Task): Asked | null {
    if (this.tasks >= TASKS_MAX || this.allGone()) return null;
    const order: Order = { id: this.tasks++, task };
    this.ports ??= this.begin();
    for (const port of this.ports) port.postMessage(order);
    for (let i = 0; this.eager !== undefined && i < 400 && !this.allGone(); i++) {
      if (Atomics.wait(this.words, placeOf(order.id), OPEN, waitMs) !== 'timed-out') break;
    }
    return {
      take: (tick) => this.take(order.id, tick),
      drop: () => this.dropOne(order.id),
    };
  }

  drop(): void {
    for (let id = 0; id < this.tasks; id++) this.dropOne(id);
  }

  /** To be called when the check is over. */
  close(): void {
    this.drop();
    for (const port of this.ports ?? []) port.close();
  }

  private begin(): readonly MessagePort[] {
    const channels = Array.from({ length: this.threads }, () => new MessageChannel());
    this.start({ ports: channels.map(({ port2 }) => port2), control: this.control });
    return channels.map(({ port1 }) => port1);
  }

  private allGone(): boolean {
    const gone = (this.ports ?? []).filter((_, index) => Atomics.load(this.words, index) !== 0);
    if (gone.length > 0) this.trouble ??= 'a thread was lost';
    return this.ports !== null && gone.length === this.ports.length;
  }

  private dropOne(id: number): void {
    const at = placeOf(id);
    const state = Atomics.load(this.words, at);
    // Between the two it may have been begun or done: then nobody asks for what comes of it.
    if (state === OPEN || state >= BEGUN) {
      Atomics.compareExchange(this.words, at, state, DROPPED);
      Atomics.store(this.words, at + 1, 1);
    }
    this.answers.delete(id);
  }

  private take(id: number, tick: Parameters<Asked['take']>[0]): Answer | null {
    const { words } = this;
    const at = placeOf(id);
    if (Atomics.compareExchange(words, at, OPEN, DROPPED) === OPEN) {
      this.allGone();
      return null;
    }
    for (;;) {
      const state = Atomics.load(words, at);
      if (state === DONE || state === REFUSED) return this.receive(id);
      if (state < BEGUN) return null;
      if (Atomics.load(words, state - BEGUN) !== 0) {
        this.trouble = 'a thread was lost';
        return null;
      }
      if (tick(Atomics.load(words, at + 2), Atomics.load(words, at + 3))) {
        Atomics.store(words, at + 1, 1);
      }
      Atomics.wait(words, at, state, waitMs);
    }
  }

  private receive(id: number): Answer | null {
    for (const port of this.ports ?? []) {
      for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
        const reply: Reply = got.message;
        this.answers.set(reply.id, reply);
      }
    }
    const reply = this.answers.get(id);
    this.answers.delete(id);
    if (reply !== undefined && 'answer' in reply) return reply.answer;
    this.trouble = reply?.trouble ?? this.trouble;
    return null;
  }
}

/** A helper thread's side: makes what nobody else has begun, until its port is closed. */
export function help({ input, port, control, index }: HelperStart): void {
  const { program } = compile(input.text, input.file);
  const words = new Int32Array(control);
  const joiner = program && new Joiner(program);
  port.on('message', (message: Order | Call) => {
    if ('join' in message) {
      faultOnOrder('helper');
      joiner?.join(message.join, message.ledger, () => faultOnOrder('member'));
      return;
    }
    const { id, task } = message;
    const at = placeOf(id);
    const mine = BEGUN + index;
    if (program === null || Atomics.compareExchange(words, at, OPEN, mine) !== OPEN) return;
    Atomics.notify(words, at);
    const { answer, trouble } = made(program, task, (states, transitions) => {
      Atomics.store(words, at + 2, states);
      Atomics.store(words, at + 3, transitions);
      return Atomics.load(words, at + 1) !== 0;
    });
    if (Atomics.load(words, at) !== mine) return;
    if (answer !== null) port.postMessage({ id, answer }, buffersOf(answer));
    else if (trouble !== null) port.postMessage({ id, trouble });
    Atomics.compareExchange(words, at, mine, answer === null ? REFUSED : DONE);
    Atomics.notify(words, at);
  });
}

type Made = { readonly answer: Answer | null; readonly trouble: string | null };

function made(program: Program, task: Task, tick: Parameters<Asked['take']>[0]): Made {
  try {
    faultOnOrder('helper');
    return { answer: exploreFor(program, task, tick), trouble: null };
  } catch (error) {
    return { answer: null, trouble: reasonOf(error) };
  }
}

function buffersOf({ snapshot }: Answer): ArrayBuffer[] {
  const { words, parent, action, completeStates } = snapshot.arrays;
  const all = [words, parent, action, completeStates].map(({ buffer }) => buffer);
  return all.filter((buffer) => buffer instanceof ArrayBuffer);
}
