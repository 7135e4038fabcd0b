/** The shortest run of a cell as lines: who, what, where it is written, and for which event. */
import { hang, wrap } from '../base/text.js';
import { placeText } from './html-run.js';
import { type Cell, type CellStep, shownHazards } from './matrix.js';

/** Empty for a cell that nothing goes wrong in. */
export function runLines(cell: Cell, width: number): readonly string[] {
  const [first] = shownHazards(cell);
  if (first === undefined) return [];
  const { id, expected, actual, steps } = first;
  const digits = String(steps.length).length;
  const agents = Math.max(...steps.map(({ agent }) => agent.length));
  const lines = steps.map((step, index) => {
    const mark = step.wrong ? '>' : ' ';
    const number = String(index + 1).padStart(digits);
    return hang(`${mark} ${number}  ${step.agent.padEnd(agents)}  `, stepText(step), width);
  });
  return [
    '',
    ...wrap(`${id}: expected ${expected}, got ${actual}; the shortest run:`, width),
    ...lines,
    '',
    `Again: ${cell.onOtherCores?.replay ?? cell.replay}`,
  ];
}

function stepText({ text, place }: CellStep): string {
  const where = placeText(place);
  if (where === '') return text;
  const event = place?.event ?? null;
  return `${text} (${event === null ? where : `${event.name}, ${where}`})`;
}
