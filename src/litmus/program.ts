/**
 * A scenario after parsing, resolving and lowering: what the engine runs.
 * Every loop with constant bounds is unrolled, every memory access is an instruction of
 * its own, every expression is free of side effects and of memory accesses.
 * Leaves out: how the text looked (see ast.ts) and what an operation does (kernel/).
 */
import type { Span } from '../diagnostics/diagnostic.js';
import type { MachineConfig } from '../kernel/config.js';
import type { Operation } from '../kernel/registry.js';
import type { Lock } from '../kernel/state.js';

export type { DeviceConfig, MachineConfig } from '../kernel/config.js';

export type BinaryOperator =
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '&'
  | '|'
  | '^'
  | '<<'
  | '>>'
  | '=='
  | '!='
  | '<'
  | '<='
  | '>'
  | '>='
  | '&&'
  | '||';
export type UnaryOperator = '-' | '!' | '~';

/** Bytes of a CPU or device word access. */
export type AccessSize = 1 | 2 | 4 | 8;

export type Expr =
  | { readonly kind: 'const'; readonly value: number }
  /** A thread-local variable, by index into ThreadCode.locals. */
  | { readonly kind: 'local'; readonly index: number }
  /** A file-wide handle (buffer, domain, sgt, pointer, dma address): index into Program.handles. */
  | { readonly kind: 'handle'; readonly index: number }
  /** A device of the machine block, by index into MachineConfig.devices. */
  | { readonly kind: 'device'; readonly index: number }
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expr }
  /**
   * `wrap` is the width in bits to which an integer result is reduced: 32 for u32 and int
   * arithmetic (unsigned), 64 for u64, dma_addr_t, size_t, phys_addr_t (kept exact below 2^53).
   */
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly wrap: 32 | 64;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** Pointer plus bytes: C's `p + n` and `&p[n]` after scaling by the element size. */
  | { readonly kind: 'offset'; readonly pointer: Expr; readonly bytes: Expr };

export type Instruction =
  | { readonly op: 'set'; readonly target: Target; readonly value: Expr; readonly at: Span }
  | {
      readonly op: 'load';
      readonly target: Target;
      readonly address: Expr;
      readonly size: AccessSize;
      /**
       * A synchronising read (model.md §1): READ_ONCE, acquire, readl, or a plain read whose
       * value reaches a branch or loop condition of its thread.
       */
      readonly sync: boolean;
      /** smp_load_acquire: after a store-release of its thread; a barrier follows for the rest. */
      readonly acquire?: true;
      readonly at: Span;
    }
  | {
      readonly op: 'store';
      readonly address: Expr;
      readonly size: AccessSize;
      readonly value: Expr;
      /** smp_store_release: after all accesses before it. */
      readonly release?: true;
      readonly at: Span;
    }
  | {
      readonly op: 'call';
      readonly operation: Operation;
      /** Positional arguments as written; an omitted trailing optional one is absent. */
      readonly args: readonly Argument[];
      /** Designated options: `.map_wc = true`. */
      readonly options: Readonly<Record<string, number>>;
      readonly target?: Target;
      /** For dma_read and friends: as for a load. */
      readonly sync: boolean;
      readonly at: Span;
    }
  /** Goes to `otherwise` when the condition is 0, else to the next instruction. */
  | {
      readonly op: 'branch';
      readonly condition: Expr;
      readonly otherwise: number;
      readonly at: Span;
      /** The condition of a loop that spins on memory (H12 looks at these). */
      readonly spin: boolean;
    }
  | {
      readonly op: 'jump';
      readonly to: number;
      /** It stands for a store that a projection leaves out. */
      readonly stored?: true;
      readonly at: Span;
    };

export type Target =
  | { readonly kind: 'local'; readonly index: number }
  | { readonly kind: 'handle'; readonly index: number };

export type Argument =
  | { readonly kind: 'value'; readonly value: Expr }
  /** `&dma`: the operation writes the handle. */
  | { readonly kind: 'out'; readonly target: Target };

export interface ThreadCode {
  readonly name: string;
  readonly kind: 'cpu' | 'device';
  /** For a device thread: index into MachineConfig.devices. */
  readonly device: number;
  readonly code: readonly Instruction[];
  /** Names of the locals, for the report and for `exists` (`user:seen`). */
  readonly locals: readonly string[];
  readonly at: Span;
}

/** The steps of an `override` block; in threads they stand in place of each call as well. */
export interface OverrideCode {
  readonly name: string;
  /** The locals that take the arguments, in order, and the one with the result (-1: none). */
  readonly params: readonly number[];
  readonly result: number;
  readonly code: readonly Instruction[];
  readonly locals: readonly string[];
  readonly at: Span;
}

export interface Assertion {
  readonly kind: 'exists' | 'forbidden' | 'always';
  /** Over final values of thread locals. */
  readonly condition: Condition;
  readonly at: Span;
}
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly left: Condition; readonly right: Condition }
  | { readonly kind: 'not'; readonly operand: Condition }
  | {
      readonly kind: 'compare';
      readonly operator: '==' | '!=' | '<' | '<=' | '>' | '>=';
      readonly thread: number;
      readonly local: number;
      readonly value: number;
    };

/** What the header comment says. */
export interface Header {
  /** `coherent`, or the set of hazard ids in file order; null without a `Result:` line. */
  readonly result: 'coherent' | readonly string[] | null;
  readonly why: string;
  readonly without: readonly WithoutClaim[];
}
/** `Without wmb#2: H13` or `Without wmb: redundant: the doorbell contains one`. */
export interface WithoutClaim {
  readonly operation: string;
  /** 1-based occurrence among the removable calls of that name, in file order. */
  readonly occurrence: number;
  readonly hazards: readonly string[] | 'redundant';
  readonly why: string;
  readonly at: Span;
}

export interface Program {
  readonly file: string;
  readonly name: string;
  readonly text: string;
  readonly header: Header;
  readonly machine: MachineConfig;
  readonly handles: readonly string[];
  /** Handles that are mutexes or completions: they exist from the start. */
  readonly locks: readonly { readonly handle: number; readonly kind: Lock['kind'] }[];
  /** Runs alone, before every thread. */
  readonly init: ThreadCode;
  readonly threads: readonly ThreadCode[];
  /** Functions that this kernel has its own versions of, as other functions call them. */
  readonly overrides: readonly OverrideCode[];
  readonly assertions: readonly Assertion[];
}
