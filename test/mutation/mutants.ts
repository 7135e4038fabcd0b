/**
 * Mutants: the model with one thing taken out of it, a row of a rule table, one effect of such a
 * row, or one facet of what a kernel function does. They live in the running program only.
 * Leaves out: mutants of values, of operators, of the search: other tests have independent oracles.
 */
import { allOperations, type Operation } from '../../src/kernel/registry.js';
import { cacheRules, type RuleRow, rowsFor } from '../../src/machine/cache-rules.js';
import { orderProfiles } from '../../src/machine/profile.js';
import { type OrderRow, orderRules } from '../../src/machine/store-buffer.js';
import { before, facetsOf, takeBack } from './facets.js';

export interface Mutant {
  /** Unique and stable; one line. */
  readonly name: string;
  /** Makes the model this mutant, and says how to make it whole again. */
  readonly install: () => () => void;
}

function ruleName(row: RuleRow): string {
  const liberty = row.liberty === undefined ? '' : ` (${row.liberty})`;
  return `${row.state}, ${row.event} -> ${row.next}${liberty}`;
}

function changed(row: object, field: string, value: unknown): () => () => void {
  return () => {
    const old: unknown = Reflect.get(row, field);
    Reflect.set(row, field, value);
    return () => {
      Reflect.set(row, field, old);
    };
  };
}

/** A row with nothing beside it cannot be taken out: an event that has no outcome is no machine. */
function removedRow(row: RuleRow): Mutant[] {
  const beside = rowsFor(row.state, row.event);
  if (beside.length < 2) return [];
  const install = (): (() => void) => {
    const index = beside.indexOf(row);
    Array.prototype.splice.call(beside, index, 1);
    return () => {
      Array.prototype.splice.call(beside, index, 0, row);
    };
  };
  return [{ name: `cache row ${ruleName(row)}: removed`, install }];
}

function rowMutants(row: RuleRow): Mutant[] {
  const name = `cache row ${ruleName(row)}:`;
  // A load without its value is no load: the mutant has it from the other place, if there is one.
  const other = { 'return copy': 'return dram', 'return dram': 'return copy' } as const;
  const effects = row.effects.flatMap((effect, i): Mutant[] => {
    if (effect === 'return copy' || effect === 'return dram') {
      if (row.state === 'absent') return [];
      const swapped = row.effects.with(i, other[effect]);
      return [{ name: `${name} ${other[effect]}`, install: changed(row, 'effects', swapped) }];
    }
    const left = row.effects.toSpliced(i, 1);
    return [{ name: `${name} without ${effect}`, install: changed(row, 'effects', left) }];
  });
  return [...removedRow(row), ...effects];
}

function orderMutant(row: OrderRow): Mutant {
  const name = `order row ${row.earlier}, ${row.later}, ${row.when}: removed`;
  return { name, install: changed(row, 'holds', () => false) };
}

/** M8: a barrier before which later loads may be satisfied orders no loads. */
function loadMutants(): readonly Mutant[] {
  const { earlyLoadsPass } = orderProfiles.arm64;
  return allOperations()
    .filter(({ family, name }) => family === 'ordering' && !earlyLoadsPass.has(name))
    .map((operation) => ({
      name: `${operation.name}: orders loads`,
      install: changed(operation, 'loadsPass', true),
    }));
}

export function ruleMutants(): readonly Mutant[] {
  return [...cacheRules.flatMap(rowMutants), ...orderRules.map(orderMutant), ...loadMutants()];
}

export function facetMutant(operation: Operation, facet: string): Mutant {
  const { effect } = operation;
  return {
    name: `${operation.name}: ${facet}`,
    install: changed(operation, 'effect', ((context, args) => {
      const was = before(context);
      const note = context.note.bind(context);
      if (facet.startsWith('notes ')) {
        context.note = (kind, rule, text) => {
          if (`notes ${kind} ${rule}` !== facet) note(kind, rule, text);
        };
      }
      const value = effect(context, args);
      context.note = note;
      takeBack(was, context, facet);
      return value;
    }) satisfies Operation['effect']),
  };
}

/** Runs the body and tells which facets of which functions it met, as `name: facet`. */
export function facetsMet(body: () => void): ReadonlySet<string> {
  const met = new Set<string>();
  const undo = allOperations().map((operation) => {
    const { effect } = operation;
    return changed(operation, 'effect', ((context, args) => {
      const was = before(context);
      const value = effect(context, args);
      for (const facet of facetsOf(was, context)) met.add(`${operation.name}: ${facet}`);
      return value;
    }) satisfies Operation['effect'])();
  });
  try {
    body();
  } finally {
    for (const each of undo) each();
  }
  return met;
}

/** The mutant of that name; undefined when no function has it. */
export function mutantOf(name: string): Mutant | undefined {
  const rule = ruleMutants().find((each) => each.name === name);
  if (rule !== undefined) return rule;
  const [, operation = '', facet = ''] = /^(\w+): (.*)$/.exec(name) ?? [];
  const found = allOperations().find((each) => each.name === operation);
  return found === undefined ? undefined : facetMutant(found, facet);
}
