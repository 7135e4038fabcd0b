/**
 * Operations: what a driver asks of a pointer that a call gave it (K1).
 * Source: include/linux/err.h. Leaves out: ERR_CAST and PTR_ERR_OR_ZERO.
 */
import { isError, pointerKinds } from '../failures.js';
import { family, type Operation } from '../registry.js';
import { isNumber } from '../value.js';

const op = family({ family: 'pages', where: 'cpu', returns: 'bool', rules: ['K1'] });

const ptr = { name: 'ptr', kinds: pointerKinds } as const;

const more = { takesNull: 'looks at it' } as const;

export const errorOperations: readonly Operation[] = [
  op(
    'IS_ERR',
    [ptr],
    'whether a pointer is an error; NULL is none',
    'include/linux/err.h:IS_ERR',
    (_, [value]) => (isError(value) ? 1 : 0),
    more,
  ),
  op(
    'IS_ERR_OR_NULL',
    [ptr],
    'whether a pointer is an error or NULL',
    'include/linux/err.h:IS_ERR_OR_NULL',
    (_, [value]) => (isError(value) || value === 0 ? 1 : 0),
    more,
  ),
  op(
    'PTR_ERR',
    [ptr],
    'the error in a pointer, as a number; integers are unsigned, so that it is large',
    'include/linux/err.h:PTR_ERR',
    (_, [value]) => (isNumber(value) ? value : 1),
    { ...more, returns: 'int' },
  ),
];
