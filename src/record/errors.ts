/** Why a recording cannot be made, in one message for the person who asked for it. */

/** This machine, its settings or the order cannot be recorded with: told without a stack trace. */
export class RecordError extends Error {}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOSPC: 'no space left on the device',
  ENOMEM: 'not enough memory',
  EROFS: 'read-only file system',
  EBUSY: 'device or resource busy',
  EINVAL: 'invalid argument',
  EISDIR: 'is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  ENODEV: 'no such device',
};

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** A system error in words. */
export function reasonOf(error: unknown): string {
  return words[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
