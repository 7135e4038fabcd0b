/** Writes a file in place of an old one: a crash leaves the old file, never half of the new one. */
import { accessSync, constants, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { InputError, reasonOf } from './errors.js';

/**
 * Written beside it and renamed, with the old one's mode; a link stays a link. Throws InputError,
 * also for a file that is read-only: renaming would not ask.
 */
export function replaceFile(file: string, text: string): void {
  mayReplace(file);
  try {
    const target = realpathSync(file);
    const draft = `${target}.${process.pid}.tmp`;
    writeFileSync(draft, text, { mode: statSync(target).mode });
    renameSync(draft, target);
  } catch (error) {
    throw new InputError(`cannot write ${file}: ${reasonOf(error)}`);
  }
}

/** For whoever would know before the work is done. Throws InputError. */
export function mayReplace(file: string): void {
  try {
    accessSync(file, constants.W_OK);
  } catch (error) {
    throw new InputError(`cannot write ${file}: ${reasonOf(error)}`);
  }
}
