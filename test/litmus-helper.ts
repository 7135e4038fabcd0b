/**
 * What the tests of the language share: scenarios that compile, instructions as short text, and
 * the corpus files.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Diagnostic } from '../src/diagnostics/diagnostic.js';
import { renderDiagnostic } from '../src/diagnostics/render.js';
import { compile, type Expr, type Instruction, type Program } from '../src/litmus/index.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const machine = 'machine arm64 {\n\tdevice gpu { .coherent = false, .iommu = smmu };\n}\n';
const init =
  'init {\n\tbo = drm_gem_shmem_create(gpu, PAGE_SIZE);\n\tvm = iommu_domain_alloc(gpu);\n}\n';

/** A whole file around the body of thread `user`, which has a `u32 *p`. */
export function scenario(body: string, rest = ''): string {
  return `${machine}${init}cpu user {\n\tu32 *p = mmap(bo);\n${body}\n}\n${rest}`;
}

export function rendered(text: string, file = 'x.litmus'): string {
  const { diagnostics } = compile(text, file);
  return diagnostics.map((d) => renderDiagnostic(d, file, text, { color: false })).join('\n');
}

export function compiled(text: string): Program {
  const { program } = compile(text, 'folder/name.litmus');
  if (program === null) throw new Error(`does not compile:\n${rendered(text)}`);
  return program;
}

/** `code line:column message`, for short expectations. */
export function problems(text: string): string[] {
  return compile(text, 'x.litmus').diagnostics.map(
    ({ code, span, message }) => `${code} ${span.line}:${span.column} ${message}`,
  );
}

export function codes(text: string): string[] {
  return compile(text, 'x.litmus').diagnostics.map(({ code }) => code);
}

/** Instructions of thread `user` for a body, without the mmap that the helper adds. */
export function lowered(body: string, rest = ''): string[] {
  const program = compiled(scenario(body, rest));
  const thread = program.threads.find(({ name }) => name === 'user');
  return listing(program, thread?.code ?? [], thread?.locals ?? []).slice(1);
}

export function listing(
  program: Program,
  code: readonly Instruction[],
  locals: readonly string[],
): string[] {
  const names = { program, locals };
  return code.map((instruction, index) => `${index} ${showInstruction(instruction, names)}`);
}

interface Names {
  readonly program: Program;
  readonly locals: readonly string[];
}

function showInstruction(instruction: Instruction, names: Names): string {
  const show = (expr: Expr) => showExpr(expr, names);
  switch (instruction.op) {
    case 'set':
      return `${show(instruction.target)} = ${show(instruction.value)}`;
    case 'load': {
      const mark = (instruction.sync ? ' sync' : '') + (instruction.acquire ? ' acquire' : '');
      const address = show(instruction.address);
      return `${show(instruction.target)} = load${instruction.size} ${address}${mark}`;
    }
    case 'store': {
      const mark = instruction.release ? ' release' : '';
      const { size, address, value } = instruction;
      return `store${size} ${show(address)} = ${show(value)}${mark}`;
    }
    case 'branch': {
      const mark = instruction.spin ? ' spin' : '';
      return `unless ${show(instruction.condition)} goto ${instruction.otherwise}${mark}`;
    }
    case 'jump':
      return `goto ${instruction.to}`;
    case 'call': {
      const args = instruction.args.map((arg) =>
        arg.kind === 'out' ? `&${show(arg.target)}` : show(arg.value),
      );
      const options = Object.entries(instruction.options).map(
        ([name, value]) => `.${name}=${value}`,
      );
      const target = instruction.target === undefined ? '' : `${show(instruction.target)} = `;
      const mark = instruction.sync ? ' sync' : '';
      return `${target}${instruction.operation.name}(${[...args, ...options].join(', ')})${mark}`;
    }
  }
}

function showExpr(expr: Expr, names: Names): string {
  const show = (inner: Expr) => showExpr(inner, names);
  switch (expr.kind) {
    case 'const':
      return String(expr.value);
    case 'local':
      return names.locals[expr.index] ?? '?';
    case 'handle':
      return names.program.handles[expr.index] ?? '?';
    case 'device':
      return names.program.machine.devices[expr.index]?.name ?? '?';
    case 'unary':
      return `${expr.operator}${show(expr.operand)}`;
    case 'offset':
      return `${show(expr.pointer)}[${show(expr.bytes)}]`;
    case 'binary': {
      const wide = expr.wrap === 64 ? 'w' : '';
      return `(${show(expr.left)} ${expr.operator}${wide} ${show(expr.right)})`;
    }
  }
}

/** Everything a program says apart from where it stood in the text. */
export function meaning(program: Program): unknown {
  const threads = [program.init, ...program.threads].map(({ name, code, locals }) => ({
    name,
    code: listing(program, code, locals),
  }));
  const { machine: config, handles, locks, header } = program;
  const without = header.without.map(({ at: _at, ...claim }) => claim);
  return {
    threads,
    config: { ...config, devices: config.devices.map(({ at: _at, ...device }) => device) },
    handles,
    locks,
    header: { ...header, without },
    assertions: program.assertions.map(({ kind, condition }) => ({ kind, condition })),
  };
}

export interface ScenarioFile {
  readonly name: string;
  readonly text: string;
}

/** Files of a folder of the repository, by their path in it. */
export function filesOf(folder: string, ending = '.litmus'): ScenarioFile[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ name, text: readFileSync(join(path, name), 'utf8') }));
}

export function pathOf(...parts: string[]): string {
  return join(root, ...parts);
}

/** Every span must lie in the text: a caret has to point at something. */
export function expectValidSpans(text: string, diagnostics: readonly Diagnostic[]): void {
  const lines = text.split('\n');
  for (const { span, message } of diagnostics) {
    const line = lines[span.line - 1];
    expect(line, `${message}: line ${span.line} of ${lines.length}`).toBeDefined();
    expect(span.column, message).toBeGreaterThanOrEqual(1);
    // One behind the end: where something is missing.
    expect(span.column, message).toBeLessThanOrEqual((line ?? '').length + 1);
    expect(span.length, message).toBeGreaterThanOrEqual(1);
  }
}
