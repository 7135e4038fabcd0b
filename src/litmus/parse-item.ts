/**
 * The two items that are no C: the machine block before the threads, and the conditions over
 * final values behind them.
 */
import type {
  AssertionNode,
  CompareOperator,
  ConditionNode,
  MachineDeviceNode,
  MachineNode,
  OptionNode,
} from './ast.js';
import { type Cursor, cover } from './cursor.js';
import { parseOption, parsePrimary } from './parse-expression.js';

export function parseMachine(cursor: Cursor): MachineNode {
  const word = cursor.expect('machine');
  const profile = cursor.expectName('the profile of the machine (arm64, x86 or riscv)');
  const open = cursor.expect('{');
  const devices: MachineDeviceNode[] = [];
  const settings: OptionNode[] = [];
  while (!cursor.accept('}')) {
    cursor.startStatement();
    if (cursor.atEnd) {
      cursor.unclosed(open.at);
      break;
    }
    if (cursor.is('device')) {
      devices.push(parseDevice(cursor));
    } else if (cursor.is('.')) {
      settings.push(parseOption(cursor));
    } else {
      throw cursor.unexpected("'device', a setting such as '.swap = zram;', or '}'");
    }
    cursor.expectSemicolon();
  }
  cursor.accept(';');
  return {
    kind: 'machine',
    profile: profile.text,
    profileAt: profile.at,
    devices,
    settings,
    at: cover(word.at, profile.at),
  };
}

function parseDevice(cursor: Cursor): MachineDeviceNode {
  cursor.expect('device');
  const name = cursor.expectName('the name of a device');
  const settings: OptionNode[] = [];
  cursor.expect('{');
  while (!cursor.is('}')) {
    if (!cursor.is('.')) throw cursor.unexpected("a setting such as '.coherent = false'");
    settings.push(parseOption(cursor));
    if (!cursor.accept(',')) break;
  }
  cursor.expect('}');
  return { kind: 'machine-device', name: name.text, settings, at: name.at };
}

export function parseAssertion(cursor: Cursor): AssertionNode {
  const word = cursor.next();
  const form =
    word.text === 'exists' ? 'exists' : word.text === 'forbidden' ? 'forbidden' : 'always';
  cursor.expect('(');
  const condition = parseOr(cursor);
  cursor.expect(')');
  cursor.accept(';');
  return { kind: 'assertion', form, condition, at: word.at };
}

function parseOr(cursor: Cursor): ConditionNode {
  let left = parseAnd(cursor);
  while (cursor.accept('||')) {
    cursor.countOperator();
    left = { kind: 'or', left, right: parseAnd(cursor) };
  }
  return left;
}

function parseAnd(cursor: Cursor): ConditionNode {
  let left = parseTerm(cursor);
  while (cursor.accept('&&')) {
    cursor.countOperator();
    left = { kind: 'and', left, right: parseTerm(cursor) };
  }
  return left;
}

const comparisons: ReadonlyMap<string, CompareOperator> = new Map<string, CompareOperator>([
  ['==', '=='],
  ['!=', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

function parseTerm(cursor: Cursor): ConditionNode {
  if (cursor.accept('!')) {
    return { kind: 'not', operand: cursor.nested(() => parseTerm(cursor)) };
  }
  if (cursor.accept('(')) {
    const inner = cursor.nested(() => parseOr(cursor));
    cursor.expect(')');
    return inner;
  }
  const thread = cursor.expectName('a final value such as user:seen');
  cursor.expect(':');
  const local = cursor.expectName('the name of a local variable');
  const symbol = cursor.peek();
  const operator = comparisons.get(symbol.text);
  if (operator === undefined) {
    throw cursor.unexpected('a comparison', symbol.text === '=' ? { suggestion: '==' } : {});
  }
  cursor.next();
  // Not a whole expression: `&&` and `||` behind it belong to the condition.
  const value = parsePrimary(cursor);
  return {
    kind: 'compare',
    thread: thread.text,
    threadAt: thread.at,
    local: local.text,
    localAt: local.at,
    operator,
    value,
  };
}
