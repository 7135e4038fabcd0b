/**
 * Values of memory as numbers, the secrets of previous owners among them (M14). A secret is a
 * number out of a range no scenario writes, so that arithmetic on what was read stays ordinary.
 */
const SECRET_BASE = 0x5ec00000;
const SECRET_COUNT = 0x100000;

/** What a free frame holds: in memory (`part` 0) or in a dirty cache line (`part` 1). */
export function secretOf(frame: number, part: 0 | 1): number {
  return SECRET_BASE + frame * 2 + part;
}

export function isSecret(value: number): boolean {
  return value >= SECRET_BASE && value < SECRET_BASE + SECRET_COUNT;
}

export function showValue(value: number): string {
  if (!isSecret(value)) return value > 9 ? `0x${value.toString(16)}` : String(value);
  const n = value - SECRET_BASE;
  return `secret${Math.floor(n / 2)}${n % 2 === 1 ? "'" : ''}`;
}

export function showValues(values: readonly number[]): string {
  const texts = [...new Set(values.map(showValue))];
  return texts.length === 0 ? 'anything' : texts.join(' or ');
}
