/**
 * Where tracefs is, or what stands in the way of it. Sources: Documentation/trace/ftrace.rst, the
 * file tree in kernel/trace/trace.c. Leaves out: what is recorded (events.ts, instance.ts).
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordError, reasonOf } from './errors.js';

/** A tracefs to use. `mounted` is a directory that we made and that is to be unmounted again. */
export interface Tracefs {
  readonly root: string;
  readonly mounted: string | null;
}

/** What `findTracefs` asks of the machine; a test gives its own. */
export interface Machine {
  readonly platform: string;
  /** Effective user id. */
  readonly uid: number;
  /** The text of /proc/self/mounts. */
  readonly mounts: string;
  /** The text of /proc/filesystems. */
  readonly filesystems: string;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

export function thisMachine(): Machine {
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? -1,
    mounts: readOr('/proc/self/mounts', ''),
    filesystems: readOr('/proc/filesystems', ''),
  };
}

/** Where tracefs is mounted: the usual place if it is among them. Octal escapes as in fstab(5). */
export function mountedTracefs(mounts: string): string | null {
  const places = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === 'tracefs')
    .map((fields) =>
      (fields[1] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
  const usual = '/sys/kernel/tracing';
  return places.includes(usual) ? usual : (places[0] ?? null);
}

const needsRoot = "recording needs root: try 'sudo civac record ...'";

/** Throws unless instances can be made under `root`. */
function checkUsable(root: string, machine: Machine): void {
  const instances = join(root, 'instances');
  try {
    accessSync(join(root, 'available_events'), constants.R_OK);
    accessSync(instances, constants.W_OK);
  } catch (error) {
    if (machine.uid !== 0) throw new RecordError(needsRoot);
    const locked = existsSync(join(root, 'available_events'))
      ? ''
      : '; is it a tracefs, and is the kernel locked down?';
    throw new RecordError(`cannot use tracefs at ${root}: ${reasonOf(error)}${locked}`);
  }
}

/** Where tracefs is, or that it has to be mounted at a place of our own, which is made here. */
export function findTracefs(machine: Machine, given: string | null): Tracefs {
  if (machine.platform !== 'linux') {
    throw new RecordError(`recording works on Linux; this is ${machine.platform}`);
  }
  const root = given ?? mountedTracefs(machine.mounts);
  if (root !== null) {
    checkUsable(root, machine);
    return { root, mounted: null };
  }
  if (machine.uid !== 0) throw new RecordError(needsRoot);
  if (!/\btracefs$/m.test(machine.filesystems)) {
    throw new RecordError('this kernel has no tracefs: it was built without CONFIG_TRACING');
  }
  const place = mkdtempSync(join(tmpdir(), 'civac-tracefs-'));
  return { root: place, mounted: place };
}

/** Mounts tracefs where findTracefs said. The watcher is told before, so that it unmounts it. */
export function mountTracefs({ root, mounted }: Tracefs, machine: Machine): void {
  if (mounted === null) return;
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tracefs', 'nodev', mounted], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    const why = error === undefined ? stderr.trim().split('\n')[0] : reasonOf(error);
    throw new RecordError(`tracefs is not mounted, and mounting it failed: ${why}`);
  }
  checkUsable(root, machine);
}

/** Undoes mountTracefs at once, for uses that need no watcher. */
export function unmountTracefs({ mounted }: Tracefs): void {
  if (mounted === null) return;
  spawnSync('umount', [mounted]);
  rmdirSync(mounted);
}
