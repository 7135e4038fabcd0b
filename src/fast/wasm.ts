/**
 * The loop of the narrow set (expand.ts) as WebAssembly, made for one network: addresses, masks
 * and shifts are constants in the code. Same tables, same set, same order of states.
 * Leaves out: the other sets; growing, which is done outside and then bound anew.
 */
import {
  add,
  and,
  asLongAs,
  atLeast,
  below,
  type Code,
  choose,
  compileModule,
  equal,
  instantiate,
  int,
  isZero,
  leave,
  left,
  load,
  locals,
  makeMemory,
  multiply,
  or,
  type Routine,
  type Run,
  right,
  set,
  store,
  trap,
  type WasmMemory,
  when,
  xor,
} from '../base/wasm.js';
import type { Work } from './expand.js';
import { MIX_A, MIX_B, MIX_C } from './expand.js';
import { NO_LEAF, type Packed } from './pack.js';

/** Byte addresses; head, tail, transitions and overflow stand at 0, 4, 8, 12. */
interface Layout {
  readonly tables: Readonly<Record<string, number>>;
  readonly seen: number;
  readonly next: number;
  readonly queue: number;
  readonly keys: number;
  readonly end: number;
}

const TABLES = [
  'rootStart',
  'roots',
  'nodes',
  'child',
  'leafStart',
  'steps',
  'extras',
  'maps',
  'deltas',
] as const;

function layOut(packed: Packed, work: Work): Layout {
  let at = 64;
  const take = (words: number): number => {
    const start = at;
    at += 4 * Math.ceil(words / 16) * 16;
    return start;
  };
  const tables = Object.fromEntries(TABLES.map((name) => [name, take(packed[name].length)]));
  return {
    tables,
    seen: take(packed.findings.length + 1),
    next: take(2 * packed.maxSteps),
    queue: take(work.queue.length),
    keys: take(work.keys.length),
    end: at,
  };
}

/** Without the parameter, which is how many states to expand. */
const LOCALS = 19;
const [COUNT, HEAD, TAIL, LOW, HIGH, ROOT, END, AT, NODE, STEP, LAST, ...more] = locals(20);
const [MADE, EXTRA, MAP, MAP_END, REST, HASH, SLOT, WANTED, THERE] = more;

const element = (base: number, index: Code): Code => load(left(index, int(2)), base);

/** next[made] and the rest of a step: maps and findings. */
function takeStep({ tables, seen }: Layout): Code {
  const { maps = 0, deltas = 0, extras = 0 } = tables;
  const map = MAP;
  const word = choose(HIGH, LOW, load(map, maps));
  const id = and(right(word, load(map, maps + 4)), load(map, maps + 8));
  const target = add(MADE, left(load(map, maps), int(2)));
  const delta = element(deltas, add(load(map, maps + 12), id));
  const extra = multiply(EXTRA, int(12));
  return [
    ...store(MADE, add(LOW, load(STEP))),
    ...store(MADE, add(HIGH, load(STEP, 4)), 4),
    ...set(EXTRA, load(STEP, 12)),
    ...when(
      EXTRA,
      set(MAP, left(load(extra, extras), int(4))),
      set(MAP_END, left(load(extra, extras + 4), int(4))),
      asLongAs(
        below(map, MAP_END),
        store(target, add(load(target), delta)),
        set(MAP, add(map, int(16))),
      ),
      store(left(load(extra, extras + 8), int(2)), int(1), seen),
    ),
    ...set(MADE, add(MADE, int(8))),
    ...set(STEP, add(STEP, int(16))),
  ];
}

/** Walks one tree from AT to its leaf, then takes the leaf's steps. */
function walk(layout: Layout): Code {
  const { nodes = 0, child = 0, leafStart = 0, steps = 0 } = layout.tables;
  const node = NODE;
  const word = choose(HIGH, LOW, load(node, nodes));
  const id = and(right(word, load(node, nodes + 4)), load(node, nodes + 8));
  const leaf = xor(AT, int(-1));
  return [
    ...asLongAs(
      atLeast(AT, 0),
      set(NODE, left(AT, int(4))),
      set(AT, element(child, add(load(node, nodes + 12), id))),
    ),
    ...when(equal(leaf, int(NO_LEAF)), trap),
    ...set(STEP, add(left(element(leafStart, leaf), int(4)), int(steps))),
    ...set(LAST, add(left(element(leafStart + 4, leaf), int(4)), int(steps))),
    ...asLongAs(below(STEP, LAST), takeStep(layout)),
  ];
}

/** Looks for one successor in the set, from LOW and HIGH, and puts it there and in the queue. */
function probe(layout: Layout, work: Work): Code {
  const { slotBits, distanceBits, queue } = work;
  const mask = int(2 ** slotBits - 1);
  const far = int(2 ** distanceBits - 1);
  const queueMask = int(queue.length / 2 - 1);
  const slot = left(SLOT, int(2));
  const place = left(and(TAIL, queueMask), int(3));
  const rest = or(right(LOW, int(slotBits)), left(and(HIGH, int(0x7fffffff)), int(32 - slotBits)));
  const mixed = xor(xor(LOW, HASH), right(HASH, int(13)));
  return [
    ...set(REST, rest),
    ...set(HASH, multiply(xor(REST, right(REST, int(15))), int(MIX_A))),
    ...set(HASH, and(multiply(and(mixed, mask), int(MIX_B)), mask)),
    ...set(HASH, xor(HASH, right(HASH, int(slotBits >> 1)))),
    ...set(SLOT, and(multiply(HASH, int(MIX_C)), mask)),
    ...set(WANTED, or(left(REST, int(distanceBits)), int(1))),
    ...asLongAs(
      int(1),
      set(THERE, load(slot, layout.keys)),
      when(equal(THERE, WANTED), leave(2)),
      when(
        isZero(THERE),
        store(slot, WANTED, layout.keys),
        store(place, LOW, layout.queue),
        store(place, HIGH, layout.queue + 4),
        set(TAIL, add(TAIL, int(1))),
        leave(2),
      ),
      when(equal(and(WANTED, far), far), store(int(0), int(1), 12), leave(2)),
      set(SLOT, and(add(SLOT, int(1)), mask)),
      set(WANTED, add(WANTED, int(1))),
    ),
  ];
}

function emit(packed: Packed, work: Work, layout: Layout): Routine {
  const { rootStart = 0, roots = 0 } = layout.tables;
  const queueMask = int(work.queue.length / 2 - 1);
  const from = left(and(HEAD, queueMask), int(3));
  const point = and(right(LOW, int(packed.pointShift)), int(packed.pointMask));
  const byteOf = (index: Code): Code => add(left(index, int(2)), int(roots));
  const body: Code = [
    ...set(HEAD, load(int(0), 0)),
    ...set(TAIL, load(int(0), 4)),
    ...asLongAs(
      // Nothing left to do, nothing left to expand, or a set that must grow.
      choose(COUNT, int(0), and(xor(HEAD, TAIL), int(-1))),
      set(LOW, load(from, layout.queue)),
      set(HIGH, load(from, layout.queue + 4)),
      set(MADE, int(layout.next)),
      set(ROOT, byteOf(element(rootStart, point))),
      set(END, byteOf(element(rootStart + 4, point))),
      asLongAs(below(ROOT, END), set(AT, load(ROOT)), walk(layout), set(ROOT, add(ROOT, int(4)))),
      set(STEP, int(layout.next)),
      asLongAs(
        below(STEP, MADE),
        set(LOW, load(STEP)),
        set(HIGH, load(STEP, 4)),
        probe(layout, work),
        set(STEP, add(STEP, int(8))),
      ),
      when(load(int(0), 12), leave(2)),
      store(int(0), add(load(int(0), 8), right(add(MADE, int(-layout.next)), int(3))), 8),
      set(HEAD, add(HEAD, int(1))),
      set(COUNT, add(COUNT, int(-1))),
    ),
    ...store(int(0), HEAD, 0),
    ...store(int(0), TAIL, 4),
  ];
  return { parameters: 1, locals: LOCALS, result: false, body };
}

/** Runs the loop; the work's set and queue live in its memory. */
export class WasmLoop {
  private memory: WasmMemory | undefined;
  private layout: Layout | undefined;
  private run: Run | undefined;

  /** Takes set and queue into a memory of its own; `copy`: with what is in them. */
  adopt(packed: Packed, work: Work, copy: boolean): void {
    const layout = layOut(packed, work);
    const memory = makeMemory(layout.end);
    const run = instantiate(compileModule([emit(packed, work, layout)]), memory);
    for (const name of TABLES) {
      new Int32Array(memory.buffer, layout.tables[name] ?? 0).set(packed[name]);
    }
    const view = (at: number, old: Int32Array): Int32Array => {
      const words = new Int32Array(memory.buffer, at, old.length);
      if (copy) words.set(old);
      return words;
    };
    work.keys = view(layout.keys, work.keys);
    work.queue = view(layout.queue, work.queue);
    this.memory = memory;
    this.layout = layout;
    this.run = run;
  }

  expand(packed: Packed, work: Work, count: number): void {
    // Either was replaced by a larger one.
    const { memory } = this;
    if (work.keys.buffer !== memory?.buffer || work.queue.buffer !== memory.buffer) {
      this.adopt(packed, work, true);
    }
    if (this.memory === undefined || this.layout === undefined) return;
    const { buffer } = this.memory;
    const io = new Int32Array(buffer, 0, 4);
    io.set([work.head, work.tail, 0, 0]);
    this.run?.(count);
    const [head = 0, tail = 0, transitions = 0, overflow = 0] = io;
    work.head = head;
    work.tail = tail;
    work.transitions += transitions;
    work.overflow = overflow !== 0;
    const seen = new Int32Array(buffer, this.layout.seen, work.seen.length);
    seen.forEach((met, i) => {
      if (met !== 0) work.seen[i] = 1;
    });
  }
}
