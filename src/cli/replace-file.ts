/** Writes a file in place of an old one: a crash leaves the old file, never half of the new one. */
import { renameSync, statSync, writeFileSync } from 'node:fs';
import { InputError, reasonOf } from './errors.js';

/** Written beside it and renamed, with the old one's mode. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, text, { mode: statSync(file).mode });
    renameSync(draft, file);
  } catch (error) {
    throw new InputError(`cannot write ${file}: ${reasonOf(error)}`);
  }
}
