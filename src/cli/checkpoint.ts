/**
 * `--checkpoint FILE`: an exploration kept now and then, so that it can be gone on with after a
 * kill, a limit or Ctrl-C. The file is written beside its place and renamed; what is read back has
 * its checksum, and must be of this civac, this scenario and this order, or it is refused.
 * Leaves out: what is kept (verdict/checkpoint.ts).
 */
import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { version } from '../base/version.js';
import { ARRAYS, type Position, type Snapshot } from '../fast/snapshot.js';
import type { Checkpoints, SavedRuns } from '../verdict/checkpoint.js';
import { InputError, reasonOf } from './errors.js';

/** What a checkpoint must agree with. */
export interface Identity {
  readonly text: string;
  readonly order: 'forward' | 'reverse';
  readonly strictAlias: boolean;
}

interface Header extends Omit<SavedRuns, 'runs'> {
  readonly version: string;
  readonly scenario: string;
  readonly order: string;
  readonly strictAlias: boolean;
  readonly runs: readonly {
    readonly run: string;
    readonly position: Position;
    readonly lengths: readonly number[];
  }[];
}

const MAGIC = 'civac checkpoint 2';
/** `civac checkpoint 2 ` and the header's length in ten digits. */
const FIRST_LINE = MAGIC.length + 12;
const HASH_BYTES = 32;
/** Seconds between two writes: at least this, a tenth of the time so far, … */
const LEAST = 1;
const SHARE = 0.1;
/** … and so many times what the last write took. */
const WRITES = 20;
const PIECE = 2 ** 26;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

class Writer {
  private readonly hash: Hash = createHash('sha256');
  constructor(private readonly fd: number) {}

  write(bytes: Uint8Array): void {
    this.hash.update(bytes);
    this.put(bytes);
  }

  private put(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.fd, bytes, at, Math.min(PIECE, bytes.length - at));
    }
  }

  end(): void {
    this.put(this.hash.digest());
    fsyncSync(this.fd);
  }
}

function bytesOf(array: Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function writeCheckpoint(file: string, identity: Identity, { runs, ...rest }: SavedRuns): void {
  const { order, strictAlias } = identity;
  const header: Header = {
    version,
    scenario: digest(identity.text),
    order,
    strictAlias,
    ...rest,
    runs: [...runs].map(([run, { position, arrays }]) => {
      return { run, position, lengths: ARRAYS.map((name) => arrays[name].length) };
    }),
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const draft = `${file}.${process.pid}.tmp`;
  const fd = openSync(draft, 'w');
  try {
    const out = new Writer(fd);
    out.write(new TextEncoder().encode(`${MAGIC} ${String(text.length).padStart(10, '0')}\n`));
    out.write(text);
    for (const { arrays } of runs.values()) {
      for (const name of ARRAYS) out.write(bytesOf(arrays[name]));
    }
    out.end();
    closeSync(fd);
    renameSync(draft, file);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

class Damaged extends Error {}

class Reader {
  private readonly hash: Hash = createHash('sha256');
  private left: number;

  constructor(private readonly fd: number) {
    this.left = fstatSync(fd).size;
  }

  read(bytes: Uint8Array): Uint8Array {
    if (bytes.length > this.left - HASH_BYTES) throw new Damaged();
    this.fill(bytes);
    this.hash.update(bytes);
    return bytes;
  }

  private fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const got = readSync(this.fd, bytes, at, Math.min(PIECE, bytes.length - at), null);
      if (got === 0) throw new Damaged();
      at += got;
    }
    this.left -= bytes.length;
  }

  end(): void {
    const wanted = this.hash.digest();
    if (this.left !== HASH_BYTES) throw new Damaged();
    const stated = new Uint8Array(HASH_BYTES);
    this.fill(stated);
    if (wanted.compare(stated) !== 0) throw new Damaged();
  }
}

function readParts(fd: number): { header: Header; arrays: Int32Array[] } {
  const input = new Reader(fd);
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  const first = decode(input.read(new Uint8Array(FIRST_LINE)));
  const length = /^civac checkpoint 2 (\d{10})\n$/.exec(first)?.[1];
  if (length === undefined) throw new InputError('not a checkpoint of civac');
  const text = decode(input.read(new Uint8Array(Number(length))));
  // Nothing of it is used before the checksum of the whole file is right: then we wrote it.
  const header: Header = JSON.parse(text);
  const arrays = header.runs.flatMap(({ lengths }) =>
    lengths.map((items) => {
      const array = new Int32Array(items);
      input.read(bytesOf(array));
      return array;
    }),
  );
  input.end();
  return { header, arrays };
}

/** Null when there is no such file; throws InputError when it is no use. */
export function readCheckpoint(file: string, identity: Identity): SavedRuns | null {
  if (!existsSync(file)) return null;
  try {
    const fd = openSync(file, 'r');
    try {
      if (!fstatSync(fd).isFile()) throw new InputError('it is no file that could be replaced');
      return savedOf(readParts(fd), identity);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    // A header that is no JSON, or has a wrong length: the checksum was not reached.
    const damaged =
      error instanceof Damaged || error instanceof SyntaxError || error instanceof RangeError;
    const reason = damaged ? 'it is damaged' : reasonOf(error);
    throw new InputError(`cannot go on from ${file}: ${reason}; remove it to start anew`);
  }
}

function savedOf(
  { header, arrays }: { header: Header; arrays: readonly Int32Array[] },
  identity: Identity,
): SavedRuns {
  if (header.version !== version) {
    throw new InputError(`it is of civac ${header.version}, and this is ${version}`);
  }
  if (header.scenario !== digest(identity.text)) {
    throw new InputError('it is of another scenario, or of another text of this one');
  }
  if (header.order !== identity.order) {
    throw new InputError(`it was made with --order ${header.order}`);
  }
  if (header.strictAlias !== identity.strictAlias) {
    throw new InputError(`it was made ${header.strictAlias ? 'with' : 'without'} --strict-alias`);
  }
  const runs = new Map<string, Snapshot>();
  header.runs.forEach(({ run, position }, i) => {
    const mine = arrays.slice(i * ARRAYS.length, (i + 1) * ARRAYS.length);
    const [words, parent, action, edges, completeStates] = mine;
    if (!words || !parent || !action || !edges || !completeStates) throw new Damaged();
    runs.set(run, { position, arrays: { words, parent, action, edges, completeStates } });
  });
  const { layout, tables, facts } = header;
  return { layout, tables, facts, runs };
}

/** Reads and writes a file; when it cannot be written, says so once and goes on without. */
export function fileCheckpoints(file: string, identity: Identity): Checkpoints {
  const started = performance.now();
  let last = started;
  let took = 0;
  let off = false;
  return {
    saved: readCheckpoint(file, identity),
    due: () => {
      if (off) return false;
      const now = performance.now();
      const wait = Math.max(1000 * LEAST, SHARE * (now - started), WRITES * took);
      return now - last >= wait;
    },
    save: (runs) => {
      if (off) return;
      const begun = performance.now();
      try {
        writeCheckpoint(file, identity, runs);
      } catch (error) {
        off = true;
        process.stderr.write(`civac: cannot write ${file}: ${reasonOf(error)}; going on without\n`);
      }
      last = performance.now();
      took = last - begun;
    },
  };
}
