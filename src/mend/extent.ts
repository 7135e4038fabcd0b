/**
 * Sizes and counts that could stand in a call, by the text alone: those that other calls on the
 * same memory have, and the smallest that covers, in whole cache lines, every word that has a name
 * there from the call's address on.
 */
import { findOperation } from '../kernel/registry.js';
import type { CallNode, Expression } from '../litmus/ast.js';
import { everyExpressionIn, withoutParens } from '../litmus/walk.js';
import type { Name, Root } from './names.js';
import type { Scene } from './scene.js';

/**
 * What other calls on this memory say. An allocation may share no cache line with other memory; a
 * call on it may cover all that the scenario uses.
 */
export function sizesFor(
  scene: Scene,
  call: CallNode,
  param: string,
  now: string,
): readonly string[] {
  const said = counterparts(scene, call, param).filter((value) => value !== now);
  const isAllocation = findOperation(call.callee)?.family === 'pages';
  const own = isAllocation ? wholeLines(scene, call) : coveringSize(scene, call);
  const known = [now, ...said].map((value) => bytesOf(scene, value));
  const isNew = param === 'size' && own !== null && !known.includes(own);
  return isNew ? [`${own}`, ...said] : said;
}

/** Where a range of pointers could begin or end: as others do, with the buffer, or with its use. */
export function endsFor(
  scene: Scene,
  call: CallNode,
  param: string,
  now: string,
): readonly string[] {
  const root = scene.names.rootOf(call);
  const first = call.args[0] === undefined ? null : withoutParens(call.args[0]);
  const base = first?.kind === 'binary' ? withoutParens(first.left) : first;
  if (root === null || base?.kind !== 'name') return [];
  const name = nameIn(scene, base.name, root);
  const own = name === undefined ? null : baseOf(scene, name, root);
  if (name === undefined || own === null) return [];
  const at = (byte: number): string => {
    const index = (byte - own) / name.element;
    return index === 0 ? name.name : `${name.name} + ${index}`;
  };
  const ends = [root.size, lastLine(scene, root)].flatMap((end) => (end === null ? [] : at(end)));
  const all = [...counterparts(scene, call, param), ...(param === 'end' ? ends : [at(own)])];
  const other = call.args[param === 'end' ? 0 : 1];
  const isEmpty = (value: string): boolean =>
    other !== undefined && scene.source.textOf(other) === value;
  return [...new Set(all)].filter((value) => value !== now && !isEmpty(value));
}

function wholeLines({ names, machine }: Scene, call: CallNode): number | null {
  const size = names.rootOf(call)?.size ?? null;
  return size === null ? null : Math.ceil(size / machine.lineSize) * machine.lineSize;
}

/** Bytes; null where the text does not say where the call begins, or nothing lies behind that. */
function coveringSize(scene: Scene, call: CallNode): number | null {
  const root = scene.names.rootOf(call);
  const start = root === null ? null : startOf(scene, call, root);
  if (root === null || start === null) return null;
  const end = lastLine(scene, root);
  return end !== null && end > start ? end - start : null;
}

/** Where the last line ends that holds a word with a name. */
function lastLine(scene: Scene, root: Root): number | null {
  const used = bytesUsed(scene, root);
  if (used === null || used.length === 0) return null;
  const { lineSize } = scene.machine;
  const whole = Math.ceil((Math.max(...used) + 1) / lineSize) * lineSize;
  return Math.min(whole, root.size ?? whole);
}

/** What the calls on the same memory say in the same place, and its whole size. */
function counterparts(scene: Scene, call: CallNode, param: string): readonly string[] {
  const root = scene.names.rootOf(call);
  if (root === null) return [];
  const calls = scene.source.statements.flatMap((statement) => statement.calls);
  const said = calls.flatMap((other) => {
    const arg = other === call ? null : scene.names.argument(other, param);
    return arg === null || scene.names.rootOf(other) !== root ? [] : [scene.source.textOf(arg)];
  });
  const all = param === 'size' ? [...said, root.sizeText] : said;
  return [...new Set(all)].filter((value) => value !== '');
}

/** The number that a text stands for, which is a constant, or an argument of some call. */
export function bytesOf({ source, names, machine }: Scene, text: string): number | null {
  if (/^\d+$/u.test(text)) return Number(text);
  if (text === 'PAGE_SIZE') return machine.pageSize;
  const calls = source.statements.flatMap((statement) => statement.calls);
  const arg = calls.flatMap(({ args }) => args).find((each) => source.textOf(each) === text);
  return arg === undefined ? null : names.valueOf(arg);
}

/** Where the memory that a call is about begins in its buffer. */
function startOf(scene: Scene, call: CallNode, root: Root): number | null {
  const offset = scene.names.argument(call, 'offset');
  const more = offset === null ? 0 : scene.names.valueOf(offset);
  const address = call.args.find((arg) => scene.names.rootOf(arg) === root);
  const at = address === undefined ? null : placeOf(scene, address, root);
  return at === null || more === null ? null : at + more;
}

/** The byte of its buffer that an address stands for: a name, or a name and a constant. */
function placeOf(scene: Scene, address: Expression, root: Root): number | null {
  const plain = withoutParens(address);
  if (plain.kind === 'name') {
    const name = nameIn(scene, plain.name, root);
    return name === undefined ? null : baseOf(scene, name, root);
  }
  if (plain.kind !== 'binary' || plain.operator !== '+') return null;
  const left = withoutParens(plain.left);
  const name = left.kind === 'name' ? nameIn(scene, left.name, root) : undefined;
  const [base, more] = [placeOf(scene, left, root), scene.names.valueOf(plain.right)];
  return base === null || more === null ? null : base + more * (name?.element ?? 1);
}

function nameIn(scene: Scene, name: string, root: Root): Name | undefined {
  const found = scene.names.all.find((each) => each.name === name && each.root === root);
  return found?.kind === 'ptr' || found?.kind === 'dma' || found?.kind === 'phys'
    ? found
    : undefined;
}

/** What a name stands for: a call's own address argument, or the buffer's first byte. */
function baseOf(scene: Scene, { call, name }: Name, root: Root): number | null {
  if (call === null || call === root.call) return 0;
  const isItself = call.args.some((arg) => mentions(arg, name));
  return isItself ? null : startOf(scene, call, root);
}

function mentions(arg: Expression, name: string): boolean {
  const plain = withoutParens(arg);
  return plain.kind === 'name' && plain.name === name;
}

/** First bytes of the words that have a name; null where one is not known. */
function bytesUsed(scene: Scene, root: Root): readonly number[] | null {
  const found: number[] = [];
  let isKnown = true;
  const note = (pointer: Expression, index: Expression | null): void => {
    const plain = withoutParens(pointer);
    const name = plain.kind === 'name' ? nameIn(scene, plain.name, root) : undefined;
    if (name === undefined) return;
    const base = baseOf(scene, name, root);
    const at = index === null ? 0 : scene.names.valueOf(index);
    if (base === null || at === null) isKnown = false;
    else found.push(base + at * name.element);
  };
  for (const item of scene.source.tree.items) {
    if (item.kind !== 'thread') continue;
    everyExpressionIn(item.body, (node) => {
      if (node.kind === 'index') note(node.pointer, node.index);
      if (node.kind === 'unary' && node.operator === '*') note(node.operand, null);
      if (node.kind !== 'call' || !/^dma_(read|write)/u.test(node.callee)) return;
      for (const arg of node.args) {
        const plain = withoutParens(arg);
        if (plain.kind === 'binary' && plain.operator === '+') note(plain.left, plain.right);
        else note(plain, null);
      }
    });
  }
  return isKnown ? found : null;
}
