/**
 * Values of memory as numbers, the secrets of previous owners among them (M14). Secrets are numbers
 * far apart that no scenario writes; what is computed from one (secret + 1) is an ordinary value.
 */
const SECRET_BASE = 0x5ec00000;
const SECRET_STRIDE = 4099;
const SECRET_COUNT = 1 << 16;

/** What a free frame holds: in memory (`part` 0) or in a dirty cache line (`part` 1). */
export function secretOf(frame: number, part: 0 | 1): number {
  return SECRET_BASE + (frame * 2 + part) * SECRET_STRIDE;
}

export function isSecret(value: number): boolean {
  const n = (value - SECRET_BASE) / SECRET_STRIDE;
  return Number.isInteger(n) && n >= 0 && n < SECRET_COUNT;
}

export function showValue(value: number): string {
  if (!isSecret(value)) return value > 9 ? `0x${value.toString(16)}` : String(value);
  const n = (value - SECRET_BASE) / SECRET_STRIDE;
  return `secret${Math.floor(n / 2)}${n % 2 === 1 ? "'" : ''}`;
}

export function showValues(values: readonly number[]): string {
  const texts = [...new Set(values.map(showValue))];
  return texts.length === 0 ? 'anything' : texts.join(' or ');
}
