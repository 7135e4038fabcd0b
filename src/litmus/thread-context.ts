/**
 * What lowering one thread needs to know at every place: the variables in scope, the loops
 * around, where instructions go, how much code the scenario may still unroll to.
 */
import type { DiagnosticCollector } from '../diagnostics/collector.js';
import type { Span } from '../diagnostics/diagnostic.js';
import { nearestName } from '../diagnostics/nearest.js';
import { constants } from '../kernel/constants.js';
import type { Expression, Statement } from './ast.js';
import { CodeWriter, Label } from './code-writer.js';
import type { Constant } from './constant-expression.js';
import type { Expr, Target } from './program.js';
import type { FileSymbols } from './symbols.js';
import { bitsOf, type ValueType } from './types.js';

export const INSTRUCTIONS_MAX = 20_000;

/** An expression after lowering: free of effects, with its type. */
export interface Lowered {
  readonly expr: Expr;
  readonly type: ValueType;
  /** Written as 0 or NULL: then it goes for every pointer and every family of flags. */
  readonly zero: boolean;
}

/** A variable that the value of an expression is meant for. */
export interface Destination {
  readonly target: Target;
  readonly type: ValueType;
}

export type LowerExpression = (
  context: ThreadContext,
  node: Expression,
  into?: Destination,
) => Lowered;

/** How the parts of a thread are lowered; they need each other, and the context. */
export interface Lowerers {
  readonly expression: LowerExpression;
  readonly statement: (context: ThreadContext, node: Statement) => void;
}

/** An override whose steps are written in place of a call. */
export interface Inlined {
  readonly name: string;
  readonly end: Label;
  /** Where its value goes; null when nobody asks for it. */
  readonly result: {
    readonly target: Target & { readonly kind: 'local' };
    readonly type: ValueType;
  } | null;
}

export interface Local {
  readonly name: string;
  readonly index: number;
  readonly type: ValueType;
  readonly at: Span;
}

export interface LoopLabels {
  readonly breakTo: Label;
  readonly continueTo: Label;
  /** An endless loop that only its breaks end: their conditions are what it spins on. */
  readonly endless: boolean;
}

/** What the threads of a file may unroll to together. */
export class Budget {
  private finished = 0;
  private passes = 0;
  private isTold = false;

  /** One more pass through a loop, in a thread that has `length` instructions so far. */
  allowsPass(length: number): boolean {
    this.passes++;
    return this.passes <= INSTRUCTIONS_MAX && this.finished + length <= INSTRUCTIONS_MAX;
  }

  allowsThread(length: number): boolean {
    this.finished += length;
    return this.finished <= INSTRUCTIONS_MAX;
  }

  /** Once is enough: every loop around the first one runs into the limit too. */
  tell(diagnostics: DiagnosticCollector, at: Span): void {
    if (this.isTold) return;
    this.isTold = true;
    const message = `the file unrolls to more than ${INSTRUCTIONS_MAX} passes or instructions`;
    diagnostics.error('L042', at, message, { expected: 'loops with smaller bounds' });
  }
}

export interface ThreadRole {
  readonly name: string;
  readonly role: 'init' | 'cpu' | 'device';
}

export class ThreadContext {
  readonly code = new CodeWriter();
  readonly end = new Label();
  readonly localNames: string[] = [];
  readonly loops: LoopLabels[] = [];
  readonly inlined: Inlined[] = [];
  /** Locals that count the passes of an unrolled loop. */
  readonly counters = new Set<number>();
  private readonly scopes: Map<string, Local>[] = [new Map()];
  private readonly slots = new Map<string, number>();
  private temporaries = 0;

  constructor(
    readonly symbols: FileSymbols,
    readonly diagnostics: DiagnosticCollector,
    readonly thread: ThreadRole,
    readonly budget: Budget,
    private readonly lowerers: Lowerers,
  ) {}

  lower(node: Expression, into?: Destination): Lowered {
    return this.lowerers.expression(this, node, into);
  }

  lowerStatement(node: Statement): void {
    this.lowerers.statement(this, node);
  }

  /** Loops around the call are none to the steps of an override. */
  inOverride(inlined: Inlined, steps: () => void): void {
    const around = this.loops.splice(0);
    this.inlined.push(inlined);
    this.inBlock(steps);
    this.inlined.pop();
    this.loops.push(...around);
  }

  /** Variables of one name in blocks beside each other share a place: at most one is alive. */
  declare(name: string, type: ValueType, at: Span): Local {
    const { handles, devices } = this.symbols;
    const before = this.lookUp(name);
    const earlier = before?.at ?? handles.get(name)?.at;
    if (earlier !== undefined) {
      const message = `'${name}' is already declared in line ${earlier.line}`;
      this.diagnostics.error('L023', at, message, { expected: 'another name' });
    } else if (devices.has(name) || constants.has(name)) {
      const what = devices.has(name) ? 'a device' : 'a constant';
      this.diagnostics.error('L023', at, `'${name}' is already ${what}`, {
        expected: 'another name',
      });
    }
    let index = this.slots.get(name);
    if (index === undefined) {
      index = this.localNames.push(name) - 1;
      this.slots.set(name, index);
    }
    const local = { name, index, type, at };
    this.scopes[this.scopes.length - 1]?.set(name, local);
    this.code.setValue(name, undefined);
    return local;
  }

  lookUp(name: string): Local | undefined {
    for (let depth = this.scopes.length - 1; depth >= 0; depth--) {
      const local = this.scopes[depth]?.get(name);
      if (local !== undefined) return local;
    }
    return undefined;
  }

  inBlock(body: () => void): void {
    this.scopes.push(new Map());
    body();
    this.scopes.pop();
  }

  inLoop(labels: LoopLabels, body: () => void): void {
    this.loops.push(labels);
    body();
    this.loops.pop();
  }

  freshTemporary(): Target & { readonly kind: 'local' } {
    this.temporaries++;
    return { kind: 'local', index: this.localNames.push(`%${this.temporaries}`) - 1 };
  }

  /** For constant folding: a variable whose value is the same on every way to this place. */
  known(name: string): Constant | undefined {
    const local = this.lookUp(name);
    const value = local === undefined ? undefined : this.code.valueOf(name);
    if (local === undefined || value === undefined) return undefined;
    return { value, wrap: bitsOf(local.type) === 64 ? 64 : 32 };
  }

  /** Something wrote the target; `value` when it is a constant. */
  noteWrite(target: Target, value?: number): void {
    const name = target.kind === 'local' ? this.localNames[target.index] : undefined;
    if (name !== undefined) this.code.setValue(name, value);
  }

  /** Reports a name that means nothing here, with the likeliest reason. */
  reportUnknown(name: string, at: Span): void {
    const { symbols, thread } = this;
    if (symbols.unreadable.has(name)) return;
    if (symbols.localsOf.get(thread.name)?.has(name) === true) {
      const message = `'${name}' is not declared here: only in another block or further down`;
      this.diagnostics.error('L020', at, message);
      return;
    }
    for (const [other, locals] of symbols.localsOf) {
      if (!locals.has(name)) continue;
      const message = `'${name}' is a local variable of thread '${other}'`;
      this.diagnostics.error('L020', at, message, {
        expected: 'memory of a buffer that both threads reach, or a declaration at file scope',
      });
      return;
    }
    this.diagnostics.error('L020', at, `unknown name '${name}'`, {
      expected: 'a name that is declared or assigned somewhere',
      suggestion: nearestName(name, this.visibleNames()),
    });
  }

  private *visibleNames(): Iterable<string> {
    for (const scope of this.scopes) yield* scope.keys();
    yield* this.symbols.handles.keys();
    yield* this.symbols.devices.keys();
    yield* constants.keys();
  }
}
