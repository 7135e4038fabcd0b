/**
 * What `civac record` writes beside a recording, as `NAME.machine.json`: the facts about the
 * machine that no trace event carries. `parseSidecar` checks every field, since the file may come
 * from anywhere. Leaves out: where the facts come from (src/record/machine.ts) and files.
 */

/** One device as the kernel knew it when the recording ended. */
export interface SidecarDevice {
  /** dev_name(), the name that trace events use: `0000:00:01.0`, `9050000.smmuv3`. */
  readonly name: string;
  /** The bus it was found on: `pci`, `platform`, `virtio` ... */
  readonly bus: string;
  readonly driver: string | null;
  /** Whether its DMA snoops CPU caches; null where nothing says so. */
  readonly coherent: boolean | null;
  /** In words: what `coherent` was read from, or why it is null. */
  readonly coherentFrom: string;
  /** Width of dma_mask in bits; null where sysfs does not show it (all but PCI). */
  readonly dmaMaskBits: number | null;
  /** Width of coherent_dma_mask in bits. */
  readonly coherentMaskBits: number | null;
  readonly iommuGroup: number | null;
  /** Type of the group's default domain: `DMA`, `DMA-FQ`, `identity` ...; null without IOMMU. */
  readonly iommuType: string | null;
}

/** What was lost on one CPU, as per_cpu/cpuN/stats told it at the end. */
export interface SidecarCpu {
  readonly cpu: number;
  /** Bytes of this CPU's pages in the recording. */
  readonly bytes: number;
  /** Events overwritten before they were read. */
  readonly overrun: number;
  /** Events that found the buffer full. */
  readonly dropped: number;
}

export interface Sidecar {
  /** Version of this format. Fields are only ever added. */
  readonly version: 1;
  /** `civac 0.1.0`. */
  readonly tool: string;
  /** When the recording began, ISO 8601 in UTC. */
  readonly recorded: string;
  /** As `uname -r`, `-v` and `-m` say. */
  readonly kernel: { readonly release: string; readonly version: string; readonly machine: string };
  /** The kernel's command line. */
  readonly cmdline: string;
  /** Bytes; null when unknown. */
  readonly pageSize: number | null;
  /** Bytes that cache maintenance for DMA cannot split, and in words where that is from. */
  readonly granule: { readonly bytes: number; readonly from: string } | null;
  readonly clock: string;
  /** Ring buffer per CPU, in KiB. */
  readonly bufferKb: number;
  /** Recorded events, `system:name`. */
  readonly events: readonly string[];
  /** Events that were wanted and that this kernel does not have. */
  readonly missing: readonly string[];
  /** The command that ran, and how it ended; null if the recording ran until it was stopped. */
  readonly command: {
    readonly argv: readonly string[];
    readonly exit: number | null;
    readonly signal: string | null;
  } | null;
  readonly cpus: readonly SidecarCpu[];
  readonly devices: readonly SidecarDevice[];
}

/** The name of the sidecar of a recording. */
export function sidecarName(recording: string): string {
  return `${recording}.machine.json`;
}

type Shape = 'string' | 'number' | 'boolean' | 'null';
type Fields = Readonly<Record<string, unknown>>;

const deviceShape: Readonly<Record<keyof SidecarDevice, readonly Shape[]>> = {
  name: ['string'],
  bus: ['string'],
  driver: ['string', 'null'],
  coherent: ['boolean', 'null'],
  coherentFrom: ['string'],
  dmaMaskBits: ['number', 'null'],
  coherentMaskBits: ['number', 'null'],
  iommuGroup: ['number', 'null'],
  iommuType: ['string', 'null'],
};

const cpuShape: Readonly<Record<keyof SidecarCpu, readonly Shape[]>> = {
  cpu: ['number'],
  bytes: ['number'],
  overrun: ['number'],
  dropped: ['number'],
};

function shapeOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first field that is missing or of another type, or null. */
function misfit(value: unknown, shape: Readonly<Record<string, readonly string[]>>): string | null {
  if (!isFields(value)) return 'is no object';
  for (const [key, allowed] of Object.entries(shape)) {
    const got = shapeOf(value[key]);
    if (!allowed.includes(got)) return `'${key}' is ${got}, expected ${allowed.join(' or ')}`;
  }
  return null;
}

function listMisfit(
  value: unknown,
  key: string,
  check: (item: unknown) => string | null,
): string | null {
  if (!Array.isArray(value)) return `'${key}' is no list`;
  for (const [i, item] of value.entries()) {
    const wrong = check(item);
    if (wrong !== null) return `${key}[${i}]: ${wrong}`;
  }
  return null;
}

const isText = (item: unknown) => (typeof item === 'string' ? null : 'is no string');

function headMisfit(value: Fields): string | null {
  const top = { tool: ['string'], recorded: ['string'], cmdline: ['string'], clock: ['string'] };
  const kernel = { release: ['string'], version: ['string'], machine: ['string'] };
  const granule = { bytes: ['number'], from: ['string'] };
  const command = { exit: ['number', 'null'], signal: ['string', 'null'] };
  const wrong =
    misfit(value, { ...top, bufferKb: ['number'], pageSize: ['number', 'null'] }) ??
    misfit(value.kernel, kernel) ??
    (value.granule === null ? null : misfit(value.granule, granule));
  if (wrong !== null || value.command === null) return wrong;
  if (!isFields(value.command)) return "'command' is no object";
  return misfit(value.command, command) ?? listMisfit(value.command.argv, 'argv', isText);
}

function isSidecar(value: unknown, tell: (wrong: string) => void): value is Sidecar {
  const wrong = !isFields(value)
    ? 'is no object'
    : (headMisfit(value) ??
      listMisfit(value.events, 'events', isText) ??
      listMisfit(value.missing, 'missing', isText) ??
      listMisfit(value.cpus, 'cpus', (item) => misfit(item, cpuShape)) ??
      listMisfit(value.devices, 'devices', (item) => misfit(item, deviceShape)));
  if (wrong !== null) tell(wrong);
  return wrong === null;
}

/** The text of a sidecar as data, or what is wrong with it. Fields it does not know are kept. */
export function parseSidecar(text: string): Sidecar | { readonly error: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: 'is not JSON' };
  }
  if (isFields(value) && typeof value.version === 'number' && value.version !== 1) {
    return { error: `is of version ${value.version}; this civac reads version 1` };
  }
  if (isFields(value) && value.version !== 1) return { error: "has no 'version': not a sidecar" };
  let error = '';
  const tell = (wrong: string) => {
    error = wrong;
  };
  return isSidecar(value, tell) ? value : { error };
}
