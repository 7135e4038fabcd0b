/** What may go wrong before and around the checking, and how it is told. */
import { exitCode } from './exit-codes.js';

/** The command line or a file is wrong: one message, exit status 2, no stack trace. */
export class InputError extends Error {}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENOSPC: 'no space left on the device',
  EFBIG: 'larger than a file may be',
  EROFS: 'read-only file system',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
};

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** A system error in words a user knows; the rest as Node says it. */
export function reasonOf(error: unknown): string {
  const words = systemErrors[errorCode(error)];
  if (words !== undefined) return words;
  return error instanceof Error ? error.message : String(error);
}

/** Tells an error on stderr; returns the exit status it means. */
export function report(error: unknown, doing = ''): number {
  if (error instanceof InputError) {
    process.stderr.write(`civac: ${error.message}\n`);
    return exitCode.input;
  }
  const what = error instanceof Error ? error.message : String(error);
  const stack = process.env.CIVAC_DEBUG === '1' && error instanceof Error ? error.stack : '';
  process.stderr.write(
    `civac: internal error${doing}: ${what}\n` +
      'This is a bug in civac, not in your scenario. Please report it with the scenario and\n' +
      `the output of CIVAC_DEBUG=1 civac ${process.argv.slice(2).join(' ')}\n` +
      (stack ? `${stack}\n` : ''),
  );
  return exitCode.internal;
}
