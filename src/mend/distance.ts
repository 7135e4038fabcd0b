/**
 * What it costs, by the same weights, to get from one scenario to another: how an upstream fix
 * compares with what mend finds. Statement by statement, thread by thread; of several ways to get
 * there the one that a reader of the diff would name, not always the cheapest.
 */
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import type { Costs } from './costs.js';
import type { Edit } from './edit.js';
import { readNames } from './names.js';
import { factsOf, makeScene, runtime, type Scene, timesAt } from './scene.js';
import { readSource, type SourceStatement } from './source.js';
import { useCaseOf, vocabularyOf } from './vocabulary.js';

export interface Distance {
  readonly cost: number;
  /** In words, as the titles of edits. */
  readonly edits: readonly string[];
  /** Every edit is one that mend could have made. */
  readonly inVocabulary: boolean;
}

interface Side {
  readonly scene: Scene;
  readonly program: Program;
  readonly statements: readonly Said[];
}

/** A statement without layout. */
interface Said {
  readonly thread: string;
  readonly text: string;
  readonly statement: SourceStatement;
}

/** Null when they differ in more than calls: accesses, agents, the machine; or do not compile. */
export function distance(before: string, after: string, costs: Costs): Distance | null {
  const from = sideOf(before, costs);
  const to = sideOf(after, costs);
  if (from === null || to === null) return null;
  if (useCaseOf(from.program) !== useCaseOf(to.program)) return null;
  if (machineOf(from, to) !== machineOf(to, from)) return null;
  return new Comparison(from, to, vocabularyOf(before, from.program, costs), costs).run();
}

/**
 * The machine block without places in the text; and without devices that the other one does not
 * have and that do nothing: an edit may be what makes them superfluous.
 */
function machineOf({ program }: Side, other: Side): string {
  const acts = new Set(program.threads.map(({ name }) => name));
  const known = new Set(other.program.machine.devices.map(({ name }) => name));
  const devices = program.machine.devices.filter(({ name }) => acts.has(name) || known.has(name));
  const machine = { ...program.machine, devices };
  return JSON.stringify(machine, (key, value: unknown) => (key === 'at' ? null : value));
}

/** The same program but for layout, comments and the order of independent statements. */
export function sameScenario(one: string, other: string): boolean {
  const words = (text: string): string => {
    const source = readSource(text);
    return source === null ? text : saidIn(text, source.statements).map(lineOf).join('\n');
  };
  return words(one) === words(other);
}

function lineOf({ thread, text }: Said): string {
  return `${thread}: ${text}`;
}

function sideOf(text: string, costs: Costs): Side | null {
  const { program } = compile(text, 'scenario');
  const source = readSource(text);
  if (program === null || source === null) return null;
  const names = readNames(source, program.machine.pageSize);
  const scene = makeScene(source, names, program.machine, costs);
  return { scene, program, statements: saidIn(text, source.statements) };
}

function saidIn(text: string, statements: readonly SourceStatement[]): readonly Said[] {
  return statements.map((statement) => {
    const words = text.slice(statement.from, statement.to);
    const bare = words.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu, '').replace(/\s+/gu, ' ');
    return { thread: statement.thread.name, text: bare.trim(), statement };
  });
}

class Comparison {
  private readonly edits: string[] = [];
  private cost = 0;
  private inVocabulary = true;

  constructor(
    private readonly from: Side,
    private readonly to: Side,
    private readonly vocabulary: readonly Edit[],
    private readonly costs: Costs,
  ) {}

  run(): Distance {
    const { gone, come } = differences(this.from.statements, this.to.statements);
    const added = [...come];
    for (const old of gone) {
      const same = added.findIndex((each) => each.text === old.text);
      const alike = added.findIndex((each) => each.thread === old.thread && isAlike(each, old));
      if (same >= 0) this.move(old, added.splice(same, 1)[0] ?? old);
      else if (alike >= 0) this.change(old, added.splice(alike, 1)[0] ?? old);
      else this.remove(old);
    }
    for (const each of added) this.insert(each);
    return { cost: this.cost, edits: this.edits, inVocabulary: this.inVocabulary };
  }

  private add(title: string, known: Edit | undefined, cost: number, isKnown: boolean): void {
    this.edits.push(title);
    this.cost += known?.cost ?? cost;
    if (known === undefined && !isKnown) this.inVocabulary = false;
  }

  private at(kind: Edit['kind'], { statement }: Said): readonly Edit[] {
    return this.vocabulary.filter((edit) => {
      const spot = edit.spots[0];
      return edit.kind === kind && spot?.kind === 'statement' && spot.from === statement.from;
    });
  }

  private move(old: Said, to: Said): void {
    const known = this.at('move', old)[0];
    this.add(`move \`${to.text}\``, known, this.costs.move, false);
  }

  private remove(old: Said): void {
    if (isDeclaration(old) || this.isUnused(old)) return;
    this.add(`remove \`${old.text}\``, this.at('remove', old)[0], this.costs.remove, false);
  }

  /** A variable that got a constant, and that nothing names any more. */
  private isUnused({ statement: { node, calls } }: Said): boolean {
    if (node.kind !== 'declaration' || calls.length > 0) return false;
    return node.declarators.every(({ name }) => {
      const word = new RegExp(`\\b${name}\\b`, 'u');
      return this.to.statements.every(({ text }) => !word.test(text));
    });
  }

  private change(old: Said, to: Said): void {
    const more = this.runtimeOf(this.to, to) - this.runtimeOf(this.from, old);
    const known = this.at('change', old).find(({ patches }) =>
      patches.every(({ text }) => to.text.includes(text.trim())),
    );
    const title = `\`${to.text}\` for \`${old.text}\``;
    const maps = attributesIn(old.text) === attributesIn(to.text) ? 0 : this.costs.allocation;
    this.add(title, known, this.costs.change + Math.max(0, more) + maps, false);
  }

  private insert(each: Said): void {
    if (isDeclaration(each)) return;
    const { kind } = each.statement.node;
    const known = this.vocabulary.find(
      (edit) => edit.kind === 'insert' && edit.title.includes(`\`${each.text}\``),
    );
    const isKnown = this.vocabulary.some(
      (edit) => edit.kind === 'insert' && each.text.includes(`${edit.operation}(`),
    );
    const cost = this.costs.insert + this.runtimeOf(this.to, each);
    // A name for an argument is no edit of its own.
    if (kind === 'expression' && /^\w+ = (virt_to_phys|page_address)\(/u.test(each.text)) return;
    this.add(`insert \`${each.text}\``, known, cost, isKnown);
  }

  private runtimeOf({ scene }: Side, { statement }: Said): number {
    const once = statement.calls.reduce(
      (sum, call) => sum + runtime(scene, factsOf(scene, call)),
      0,
    );
    return once * timesAt(scene, statement.loopFrom);
  }
}

/** What a statement says of how memory is allocated or mapped for the CPU. */
function attributesIn(text: string): string {
  return (text.match(/\.(?:map_wc|executable) = true|pgprot_\w+|__GFP_\w+/gu) ?? []).join(' ');
}

function isDeclaration({ statement }: Said): boolean {
  const { node } = statement;
  return node.kind === 'declaration' && node.declarators.every(({ value }) => value === null);
}

/** The same target, or a call with some of the same arguments. */
function isAlike(one: Said, other: Said): boolean {
  const target = (text: string): string => /^(?:\w+ \**)?(\w+) = /u.exec(text)?.[1] ?? '';
  if (target(one.text) !== '' && target(one.text) === target(other.text)) return true;
  const first = (text: string): string => /\(([^,)]*)/u.exec(text)?.[1] ?? '';
  const isCall = one.statement.calls.length > 0 && other.statement.calls.length > 0;
  return isCall && first(one.text) !== '' && first(one.text) === first(other.text);
}

/** Statements of each side that the longest common sequence leaves over. */
function differences(
  a: readonly Said[],
  b: readonly Said[],
): { gone: readonly Said[]; come: readonly Said[] } {
  const lengths = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  const same = (i: number, j: number): boolean => {
    const [one, other] = [a[i], b[j]];
    return one !== undefined && other !== undefined && lineOf(one) === lineOf(other);
  };
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row === undefined) continue;
      row[j] = same(i, j) ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const gone: Said[] = [];
  const come: Said[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && same(i, j)) [i, j] = [i + 1, j + 1];
    else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1))) gone.push(a[i++]!);
    else come.push(b[j++]!);
  }
  return { gone, come };
}
