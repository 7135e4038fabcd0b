/** The middle one of some figures; of an even number of them the upper of the two. */
export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
