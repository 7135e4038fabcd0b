/** `civac reference`: the page of all operations a scenario may call, out of the registry. */
import { operationsReference } from '../../litmus/index.js';
import { exitCode } from '../exit-codes.js';

export function runReference(): number {
  process.stdout.write(operationsReference().replace(/\n*$/, '\n'));
  return exitCode.ok;
}
