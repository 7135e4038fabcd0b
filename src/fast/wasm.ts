/**
 * The loop of the narrow set (expand.ts) as WebAssembly, made for one network: addresses, masks
 * and shifts are constants in the code. Same tables, same set, same order of states.
 * Leaves out: the other sets; growing, which is done outside and then bound anew.
 */
import type { Work } from './expand.js';
import { MIX_A, MIX_B, MIX_C } from './expand.js';
import { NO_LEAF, type Packed } from './pack.js';
import {
  add,
  and,
  asLongAs,
  atLeast0,
  choose,
  type Code,
  equal,
  get,
  int,
  isZero,
  leave,
  left,
  less,
  load,
  moduleOf,
  multiply,
  or,
  right,
  set,
  store,
  trap,
  when,
  xor,
} from './wasm-code.js';

const PAGE = 65536;

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

// Locals; 0 is the parameter: how many states to expand.
const COUNT = 0;
const [HEAD, TAIL, LOW, HIGH, ROOT, END, AT, NODE, STEP, LAST] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const [MADE, EXTRA, MAP, MAP_END, REST, HASH, SLOT, WANTED, THERE] = [
  11, 12, 13, 14, 15, 16, 17, 18, 19,
];
const LOCALS = 19;

const element = (base: number, index: Code): Code => load(left(index, int(2)), base);

/** next[made] and the rest of a step: maps and findings. */
function takeStep({ tables, seen }: Layout): Code {
  const { maps = 0, deltas = 0, extras = 0 } = tables;
  const map = get(MAP);
  const word = choose(get(HIGH), get(LOW), load(map, maps));
  const id = and(right(word, load(map, maps + 4)), load(map, maps + 8));
  const target = add(get(MADE), left(load(map, maps), int(2)));
  const delta = element(deltas, add(load(map, maps + 12), id));
  const extra = multiply(get(EXTRA), int(12));
  return [
    ...store(get(MADE), add(get(LOW), load(get(STEP)))),
    ...store(get(MADE), add(get(HIGH), load(get(STEP), 4)), 4),
    ...set(EXTRA, load(get(STEP), 12)),
    ...when(
      get(EXTRA),
      set(MAP, left(load(extra, extras), int(4))),
      set(MAP_END, left(load(extra, extras + 4), int(4))),
      asLongAs(
        less(map, get(MAP_END)),
        store(target, add(load(target), delta)),
        set(MAP, add(map, int(16))),
      ),
      store(left(load(extra, extras + 8), int(2)), int(1), seen),
    ),
    ...set(MADE, add(get(MADE), int(8))),
    ...set(STEP, add(get(STEP), int(16))),
  ];
}

/** Walks one tree from AT to its leaf, then takes the leaf's steps. */
function walk(layout: Layout): Code {
  const { nodes = 0, child = 0, leafStart = 0, steps = 0 } = layout.tables;
  const node = get(NODE);
  const word = choose(get(HIGH), get(LOW), load(node, nodes));
  const id = and(right(word, load(node, nodes + 4)), load(node, nodes + 8));
  const leaf = xor(get(AT), int(-1));
  return [
    ...asLongAs(
      atLeast0(get(AT)),
      set(NODE, left(get(AT), int(4))),
      set(AT, element(child, add(load(node, nodes + 12), id))),
    ),
    ...when(equal(leaf, int(NO_LEAF)), trap),
    ...set(STEP, add(left(element(leafStart, leaf), int(4)), int(steps))),
    ...set(LAST, add(left(element(leafStart + 4, leaf), int(4)), int(steps))),
    ...asLongAs(less(get(STEP), get(LAST)), takeStep(layout)),
  ];
}

/** Looks for one successor in the set, from LOW and HIGH, and puts it there and in the queue. */
function probe(layout: Layout, work: Work): Code {
  const { slotBits, distanceBits, queue } = work;
  const mask = int(2 ** slotBits - 1);
  const far = int(2 ** distanceBits - 1);
  const queueMask = int(queue.length / 2 - 1);
  const slot = left(get(SLOT), int(2));
  const place = left(and(get(TAIL), queueMask), int(3));
  const rest = or(
    right(get(LOW), int(slotBits)),
    left(and(get(HIGH), int(0x7fffffff)), int(32 - slotBits)),
  );
  const mixed = xor(xor(get(LOW), get(HASH)), right(get(HASH), int(13)));
  return [
    ...set(REST, rest),
    ...set(HASH, multiply(xor(get(REST), right(get(REST), int(15))), int(MIX_A))),
    ...set(HASH, and(multiply(and(mixed, mask), int(MIX_B)), mask)),
    ...set(HASH, xor(get(HASH), right(get(HASH), int(slotBits >> 1)))),
    ...set(SLOT, and(multiply(get(HASH), int(MIX_C)), mask)),
    ...set(WANTED, or(left(get(REST), int(distanceBits)), int(1))),
    ...asLongAs(
      int(1),
      set(THERE, load(slot, layout.keys)),
      when(equal(get(THERE), get(WANTED)), leave(2)),
      when(
        isZero(get(THERE)),
        store(slot, get(WANTED), layout.keys),
        store(place, get(LOW), layout.queue),
        store(place, get(HIGH), layout.queue + 4),
        set(TAIL, add(get(TAIL), int(1))),
        leave(2),
      ),
      when(equal(and(get(WANTED), far), far), store(int(0), int(1), 12), leave(2)),
      set(SLOT, and(add(get(SLOT), int(1)), mask)),
      set(WANTED, add(get(WANTED), int(1))),
    ),
  ];
}

function emit(packed: Packed, work: Work, layout: Layout): Uint8Array<ArrayBuffer> {
  const { rootStart = 0, roots = 0 } = layout.tables;
  const queueMask = int(work.queue.length / 2 - 1);
  const from = left(and(get(HEAD), queueMask), int(3));
  const point = and(right(get(LOW), int(packed.pointShift)), int(packed.pointMask));
  const byteOf = (index: Code): Code => add(left(index, int(2)), int(roots));
  return moduleOf(LOCALS, [
    ...set(HEAD, load(int(0), 0)),
    ...set(TAIL, load(int(0), 4)),
    ...asLongAs(
      // Nothing left to do, nothing left to expand, or a set that must grow.
      choose(get(COUNT), int(0), and(xor(get(HEAD), get(TAIL)), int(-1))),
      set(LOW, load(from, layout.queue)),
      set(HIGH, load(from, layout.queue + 4)),
      set(MADE, int(layout.next)),
      set(ROOT, byteOf(element(rootStart, point))),
      set(END, byteOf(element(rootStart + 4, point))),
      asLongAs(
        less(get(ROOT), get(END)),
        set(AT, load(get(ROOT))),
        walk(layout),
        set(ROOT, add(get(ROOT), int(4))),
      ),
      set(STEP, int(layout.next)),
      asLongAs(
        less(get(STEP), get(MADE)),
        set(LOW, load(get(STEP))),
        set(HIGH, load(get(STEP), 4)),
        probe(layout, work),
        set(STEP, add(get(STEP), int(8))),
      ),
      when(load(int(0), 12), leave(2)),
      store(int(0), add(load(int(0), 8), right(add(get(MADE), int(-layout.next)), int(3))), 8),
      set(HEAD, add(get(HEAD), int(1))),
      set(COUNT, add(get(COUNT), int(-1))),
    ),
    ...store(int(0), get(HEAD), 0),
    ...store(int(0), get(TAIL), 4),
  ]);
}

/** What is used of the WebAssembly object, which no library in use here declares. */
interface Api {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

function isApi(value: unknown): value is Api {
  return typeof value === 'object' && value !== null && 'Memory' in value && 'Module' in value;
}

function api(): Api | null {
  const found: unknown = Reflect.get(globalThis, 'WebAssembly');
  return isApi(found) ? found : null;
}

function isRun(value: unknown): value is (count: number) => void {
  return typeof value === 'function';
}

/** Whether WebAssembly may be used here; a page's security policy can forbid it. */
export function hasWasm(): boolean {
  try {
    const found = api();
    return found !== null && new found.Module(moduleOf(1, [])) !== null;
  } catch {
    return false;
  }
}

/** Runs the loop; the work's set and queue live in its memory. */
export class WasmLoop {
  private memory: { readonly buffer: ArrayBuffer } | undefined;
  private layout: Layout | undefined;
  private run: ((count: number) => void) | undefined;

  /** Takes set and queue into a memory of its own; `copy`: with what is in them. */
  adopt(packed: Packed, work: Work, copy: boolean): void {
    const wasm = api();
    if (wasm === null) throw new Error('there is no WebAssembly here');
    const layout = layOut(packed, work);
    const memory = new wasm.Memory({ initial: Math.ceil(layout.end / PAGE) });
    const module = new wasm.Module(emit(packed, work, layout));
    const { run } = new wasm.Instance(module, { env: { memory } }).exports;
    if (!isRun(run)) throw new Error('the module has no function run');
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
