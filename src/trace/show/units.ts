/** Amounts in short words, for labels and tables. No locale, three digits at most. */

/** `64 KiB`, `1.5 MiB`, `96 B`; whole numbers of a unit without a fraction. */
export function bytesShort(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${shortNumber(value)} ${units[unit]}`;
}

/** At most three digits, or all of a whole number: `1.5`, `12.3`, `512`. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (value >= 100) return value.toFixed(0);
  return String(Number(value.toFixed(value >= 10 ? 1 : 2)));
}
