/**
 * Which names of a scenario stand for which memory: every pointer, page, object, table and bus
 * address is followed back to the call that allocated what it leads to. By the text alone, in the
 * order of the file; a name that is assigned twice stands for both.
 * Leaves out: what depends on branches, and integers.
 */
import type { CallNode, Expression, Statement } from '../litmus/ast.js';
import { withoutParens } from '../litmus/walk.js';
import { findOperation, type Kind } from '../kernel/registry.js';
import type { Source, SourceStatement } from './source.js';

/** What one call allocated. Its id is the call's offset in the text. */
export interface Root {
  readonly id: number;
  readonly call: CallNode;
  /** Bytes, when the text says so. */
  readonly size: number | null;
  readonly sizeText: string;
  /** The device it was made for; empty when for none. */
  readonly device: string;
}

export interface Name {
  readonly name: string;
  readonly kind: Kind;
  readonly root: Root | null;
  /** The call that gave it its value; null for a plain copy. */
  readonly call: CallNode | null;
  readonly statement: SourceStatement;
  /** Visible in every thread, once init has run. */
  readonly shared: boolean;
  /** Bytes of what a pointer points to; 1 otherwise. */
  readonly element: number;
}

export interface Names {
  readonly roots: readonly Root[];
  readonly all: readonly Name[];
  rootOf(node: Expression): Root | null;
  /** A constant as sizes are written; null where the text does not say. */
  valueOf(node: Expression): number | null;
  /** An argument of a call by the registry's name for it; null when it was left out. */
  argument(call: CallNode, param: string): Expression | null;
}

const elementBytes: Readonly<Record<string, number>> = {
  u8: 1,
  char: 1,
  u16: 2,
  u32: 4,
  int: 4,
  u64: 8,
  long: 8,
  __le16: 2,
  __le32: 4,
  __le64: 8,
};

export function readNames(source: Source, pageSize: number): Names {
  return new Resolver(source, pageSize).run();
}

class Resolver {
  private readonly roots = new Map<number, Root>();
  private readonly all: Name[] = [];
  private readonly elements = new Map<string, number>();
  private readonly shared = new Set<string>();

  constructor(
    private readonly source: Source,
    private readonly pageSize: number,
  ) {}

  run(): Names {
    for (const item of this.source.tree.items) {
      if (item.kind === 'declaration') this.declare(item);
    }
    // Twice: a thread may come before the one that gives a shared name its value.
    for (let pass = 0; pass < 2; pass++) {
      this.all.length = 0;
      for (const statement of this.source.statements) this.statement(statement);
    }
    return {
      roots: [...this.roots.values()],
      all: this.all,
      rootOf: (node) => this.rootOf(node),
      valueOf: (node) => this.valueOf(node),
      argument,
    };
  }

  private declare(node: Statement): void {
    if (node.kind !== 'declaration') return;
    for (const { name, type } of node.declarators) {
      this.elements.set(name, elementBytes[type.base] ?? 1);
      this.shared.add(name);
    }
  }

  private statement(statement: SourceStatement): void {
    const { node } = statement;
    if (node.kind === 'declaration') {
      for (const { name, type, value } of node.declarators) {
        this.elements.set(name, elementBytes[type.base] ?? 1);
        if (value !== null) this.assign(name, value, statement, false);
      }
    }
    if (node.kind === 'expression' && node.expression.kind === 'assign') {
      const { target, value } = node.expression;
      if (target.kind === 'name') this.assign(target.name, value, statement, true);
    }
    for (const call of statement.calls) this.outputs(call, statement);
  }

  /** `&bus` of dma_alloc_coherent: the call gives it a value. */
  private outputs(call: CallNode, statement: SourceStatement): void {
    const params = findOperation(call.callee)?.params ?? [];
    call.args.forEach((arg, index) => {
      const param = params[index];
      if (param?.out !== true || arg.kind !== 'unary' || arg.operand.kind !== 'name') return;
      const { name } = arg.operand;
      const kind = param.kinds[0] ?? 'int';
      this.add(name, kind, this.rootOf(call), call, statement, true);
    });
  }

  private assign(
    name: string,
    value: Expression,
    statement: SourceStatement,
    isHandle: boolean,
  ): void {
    const plain = unwrapped(value);
    if (plain.kind === 'call') {
      const kind = findOperation(plain.callee)?.returns;
      if (kind === undefined || kind === 'void') return;
      this.add(name, kind, this.rootOf(plain), plain, statement, isHandle);
    } else if (plain.kind === 'name') {
      const from = this.all.findLast((each) => each.name === plain.name);
      if (from !== undefined) this.add(name, from.kind, from.root, null, statement, isHandle);
    }
  }

  private add(
    name: string,
    kind: Kind,
    root: Root | null,
    call: CallNode | null,
    statement: SourceStatement,
    isHandle: boolean,
  ): void {
    const shared = this.shared.has(name) || isHandle;
    const element = this.elements.get(name) ?? 1;
    this.all.push({ name, kind, root, call, statement, shared, element });
  }

  private rootOf(node: Expression): Root | null {
    const plain = unwrapped(node);
    switch (plain.kind) {
      case 'name':
        return this.all.findLast((each) => each.name === plain.name)?.root ?? null;
      case 'unary':
        return this.rootOf(plain.operand);
      case 'index':
        return this.rootOf(plain.pointer);
      case 'binary':
        return this.rootOf(plain.left) ?? this.rootOf(plain.right);
      case 'call':
        return this.rootOfCall(plain);
      default:
        return null;
    }
  }

  private rootOfCall(call: CallNode): Root | null {
    const operation = findOperation(call.callee);
    for (const [index, arg] of call.args.entries()) {
      if (operation?.params[index]?.out === true) continue;
      const root = this.rootOf(arg);
      if (root !== null) return root;
    }
    const makes =
      ['ptr', 'page', 'bo', 'dmabuf'].includes(operation?.returns ?? '') ||
      // The registers of a device: memory that nobody allocates.
      call.callee === 'platform_get_resource';
    return makes ? this.made(call) : null;
  }

  private made(call: CallNode): Root {
    const id = this.source.offset(call.calleeAt);
    const known = this.roots.get(id);
    if (known !== undefined) return known;
    const size = argument(call, 'size');
    const order = argument(call, 'order');
    const device = argument(call, 'dev');
    const pages = order === null ? null : this.valueOf(order);
    const bytes = size === null ? null : this.valueOf(size);
    const root = {
      id,
      call,
      size: pages === null ? bytes : this.pageSize << pages,
      sizeText: size !== null ? this.source.textOf(size) : pages ? `${pages}` : 'PAGE_SIZE',
      device: device?.kind === 'name' ? device.name : '',
    };
    const sized = pages === null || pages === 0 ? root : { ...root, sizeText: `${root.size}` };
    this.roots.set(id, sized);
    return sized;
  }

  /** Constants as sizes are written: numbers, PAGE_SIZE, and simple arithmetic. */
  private valueOf(node: Expression): number | null {
    const plain = unwrapped(node);
    if (plain.kind === 'number') return plain.value;
    if (plain.kind === 'name') return plain.name === 'PAGE_SIZE' ? this.pageSize : null;
    if (plain.kind !== 'binary') return null;
    const left = this.valueOf(plain.left);
    const right = this.valueOf(plain.right);
    if (left === null || right === null) return null;
    if (plain.operator === '*') return left * right;
    if (plain.operator === '+') return left + right;
    return plain.operator === '<<' ? left << right : null;
  }
}

function unwrapped(node: Expression): Expression {
  const plain = withoutParens(node);
  return plain.kind === 'cast' ? unwrapped(plain.operand) : plain;
}

function argument(call: CallNode, param: string): Expression | null {
  const params = findOperation(call.callee)?.params ?? [];
  const index = params.findIndex((each) => each.name === param);
  return index < 0 ? null : (call.args[index] ?? null);
}
