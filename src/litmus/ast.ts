/**
 * The syntax tree of a scenario, as the parser builds it: names are still text, types are still
 * words, loops are still loops. Every node knows where it stands.
 * Leaves out: comments (the lexer keeps them for the header and the printer).
 */
import type { Span } from '../diagnostics/diagnostic.js';
import type { BinaryOperator } from './program.js';

export interface TypeNode {
  /** `u32`, `unsigned long`, `struct page`; qualifiers left out. */
  readonly base: string;
  /** Number of stars. */
  readonly pointers: number;
  readonly at: Span;
}

export type PrefixOperator = '-' | '+' | '!' | '~' | '*' | '&';

export interface NameNode {
  readonly kind: 'name';
  readonly name: string;
  readonly at: Span;
}
export interface CallNode {
  readonly kind: 'call';
  readonly callee: string;
  readonly calleeAt: Span;
  readonly args: readonly Expression[];
  readonly options: readonly OptionNode[];
  readonly at: Span;
}
export interface BinaryNode {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly at: Span;
}
export interface UnaryNode {
  readonly kind: 'unary';
  readonly operator: PrefixOperator;
  readonly operand: Expression;
  readonly at: Span;
}
export interface AssignNode {
  readonly kind: 'assign';
  /** `=` has no operator; `+=` has `+`. */
  readonly operator: BinaryOperator | null;
  readonly target: Expression;
  readonly value: Expression;
  /** `x++` and `x--` are `x += 1` and `x -= 1`: their value may not be used. */
  readonly postfix: boolean;
  readonly at: Span;
}
export interface IndexNode {
  readonly kind: 'index';
  readonly pointer: Expression;
  readonly index: Expression;
  readonly at: Span;
}
export interface TernaryNode {
  readonly kind: 'ternary';
  readonly condition: Expression;
  readonly then: Expression;
  readonly otherwise: Expression;
  readonly at: Span;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: number; readonly at: Span }
  | NameNode
  | UnaryNode
  | BinaryNode
  | AssignNode
  | TernaryNode
  | IndexNode
  | CallNode
  | { readonly kind: 'paren'; readonly inner: Expression; readonly at: Span }
  | {
      readonly kind: 'cast';
      readonly type: TypeNode;
      readonly operand: Expression;
      readonly at: Span;
    }
  | { readonly kind: 'sizeof'; readonly type: TypeNode; readonly at: Span };

/** `.map_wc = true` */
export interface OptionNode {
  readonly name: string;
  readonly value: Expression;
  readonly at: Span;
}

export interface Declarator {
  readonly name: string;
  readonly type: TypeNode;
  readonly value: Expression | null;
  readonly at: Span;
}
export interface DeclarationNode {
  readonly kind: 'declaration';
  readonly declarators: readonly Declarator[];
  readonly at: Span;
}

export interface BlockNode {
  readonly kind: 'block';
  readonly body: readonly Statement[];
  readonly at: Span;
}
export interface IfNode {
  readonly kind: 'if';
  readonly condition: Expression;
  readonly then: Statement;
  readonly otherwise: Statement | null;
  readonly at: Span;
}
/** `while` and `for` test first, `do` tests last. */
export interface LoopNode {
  readonly kind: 'loop';
  readonly form: 'while' | 'do' | 'for';
  readonly init: Statement | null;
  /** null: `for (;;)` */
  readonly condition: Expression | null;
  readonly step: Expression | null;
  readonly body: Statement;
  readonly at: Span;
}
/** A statement that could not be read; its names are not reported as unknown elsewhere. */
export interface BrokenNode {
  readonly kind: 'broken';
  readonly names: readonly string[];
  readonly at: Span;
}

/** `event pages_got(bo, gpu, PAGE_SIZE);`: the driver gets control. */
export interface EventNode {
  readonly kind: 'event';
  readonly event: string;
  /** With the tokens each consists of, first and behind the last. */
  readonly args: readonly {
    readonly value: Expression;
    readonly from: number;
    readonly to: number;
  }[];
  /** Its tokens, first and behind the last (the semicolon's). */
  readonly from: number;
  readonly to: number;
  readonly at: Span;
}

export type Statement =
  | DeclarationNode
  | EventNode
  | BlockNode
  | IfNode
  | LoopNode
  | BrokenNode
  | { readonly kind: 'expression'; readonly expression: Expression; readonly at: Span }
  | ReturnNode
  | { readonly kind: 'break' | 'continue' | 'empty'; readonly at: Span };

/** Only an override returns a value. */
export interface ReturnNode {
  readonly kind: 'return';
  readonly value: Expression | null;
  readonly at: Span;
}

export interface ThreadNode {
  readonly kind: 'thread';
  readonly role: 'init' | 'cpu' | 'device';
  readonly name: string;
  readonly nameAt: Span;
  readonly body: BlockNode;
  readonly at: Span;
}

export interface MachineDeviceNode {
  readonly kind: 'machine-device';
  readonly name: string;
  readonly settings: readonly OptionNode[];
  readonly at: Span;
}
export interface MachineNode {
  readonly kind: 'machine';
  readonly profile: string;
  readonly profileAt: Span;
  readonly devices: readonly MachineDeviceNode[];
  readonly settings: readonly OptionNode[];
  readonly at: Span;
}

export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ConditionNode =
  | { readonly kind: 'and' | 'or'; readonly left: ConditionNode; readonly right: ConditionNode }
  | { readonly kind: 'not'; readonly operand: ConditionNode }
  | {
      readonly kind: 'compare';
      readonly thread: string;
      readonly threadAt: Span;
      readonly local: string;
      readonly localAt: Span;
      readonly operator: CompareOperator;
      readonly value: Expression;
    };
export interface AssertionNode {
  readonly kind: 'assertion';
  readonly form: 'exists' | 'forbidden' | 'always';
  readonly condition: ConditionNode;
  readonly at: Span;
}

/** `on pages_got(bo, dev, size) { … }` */
export interface HandlerNode {
  readonly event: string;
  readonly params: readonly { readonly name: string; readonly at: Span }[];
  readonly body: BlockNode;
  /** The tokens of the body without its braces, first and behind the last. */
  readonly from: number;
  readonly to: number;
  readonly at: Span;
}
/** `refuse unpin;`: what the design cannot do. */
export interface RefusalNode {
  readonly event: string;
  readonly at: Span;
}
/** How a driver answers the events of its buffers' lives. */
export interface DesignNode {
  readonly kind: 'design';
  readonly name: string;
  readonly nameAt: Span;
  readonly handlers: readonly HandlerNode[];
  readonly refusals: readonly RefusalNode[];
  /** What the design keeps for each buffer. */
  readonly declarations: readonly DeclarationNode[];
  readonly at: Span;
}

/** `override arch_sync_dma_for_cpu(paddr, size, dir) { … }` */
export interface OverrideNode {
  readonly kind: 'override';
  readonly name: string;
  readonly nameAt: Span;
  readonly params: readonly { readonly name: string; readonly at: Span }[];
  readonly body: BlockNode;
  readonly at: Span;
}

export type Item =
  | MachineNode
  | OverrideNode
  | DeclarationNode
  | ThreadNode
  | AssertionNode
  | DesignNode
  | BrokenNode;

export interface SyntaxTree {
  readonly items: readonly Item[];
}
