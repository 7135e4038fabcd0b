/**
 * The matrix as a document, version 1; docs/compare.md describes it. Fields may be added within a
 * version, never renamed or removed. Copied field by field, as the other reports are.
 */
import type { Cell, CellHazard, CellStep, Matrix, WithSetting } from './matrix.js';

export function matrixJson(matrix: Matrix): string {
  const { designs, useCases, cells } = matrix;
  const document = {
    version: 1,
    kind: matrix.kind,
    designs: designs.map(({ name, file, about, needsDevice, dmaMaps, dmaAllocs, zones }) => ({
      name,
      file,
      about,
      needsDevice,
      dmaMaps,
      dmaAllocs,
      zones,
    })),
    useCases: useCases.map(({ name, key, file, about, question }) => ({
      name,
      key,
      file,
      about,
      question,
    })),
    cells: cells.map(cellJson),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function cellJson(cell: Cell): object {
  const { design, useCase, verdict, safeIf, unsafeIf, why, cost, replay, states } = cell;
  return {
    design,
    useCase,
    verdict,
    safeIf,
    unsafeIf,
    why,
    hazards: cell.hazards.map(hazardJson),
    onOtherCores: cell.onOtherCores === null ? null : withSettingJson(cell.onOtherCores),
    linesPerLife: cost?.life ?? null,
    linesPerFrame: cost?.frame ?? null,
    maintenance: cell.maintenance.map(({ operation, line, op, lines }) => ({
      operation,
      line,
      op,
      lines,
    })),
    replay,
    states,
  };
}

function withSettingJson({ setting, hazards, replay }: WithSetting): object {
  return { setting, hazards: hazards.map(hazardJson), replay };
}

function hazardJson({ id, message, expected, actual, needs, certain, steps }: CellHazard): object {
  return { id, message, expected, actual, needs, certain, trace: steps.map(stepJson) };
}

function stepJson({ agent, rule, text, line, wrong, place }: CellStep): object {
  return {
    agent,
    rule,
    text,
    line,
    wrong,
    file: place?.file ?? null,
    fileLine: place?.line ?? null,
    event: place?.event?.name ?? null,
    eventLine: place?.event?.line ?? null,
  };
}
