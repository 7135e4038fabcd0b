/** The shipped designs and use cases, and small ones for tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Design,
  expand,
  type Expansion,
  readDesign,
  readUseCase,
  type UseCase,
} from '../src/litmus/index.js';
import { root } from './cli-run.js';

export function filesIn(folder: string, end: string): { file: string; text: string }[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(end))
    .sort()
    .map((name) => {
      const file = `${folder}/${name}`;
      return { file, text: readFileSync(join(root, file), 'utf8') };
    });
}

function readOrThrow<Thing>(read: { value: Thing | null; diagnostics: readonly unknown[] }): Thing {
  if (read.value === null) throw new Error(JSON.stringify(read.diagnostics));
  return read.value;
}

export function design(text: string, file = 'some/small.design'): Design {
  return readOrThrow(readDesign(text, file));
}

export function useCase(text: string, file = 'some/small.usecase'): UseCase {
  return readOrThrow(readUseCase(text, file));
}

export const shipped = {
  designs: filesIn('litmus/designs', '.design').map(({ file, text }) => design(text, file)),
  useCases: filesIn('litmus/thread', '.usecase').map(({ file, text }) => useCase(text, file)),
};

/** A design whose answers are the given lines, and nothing where none is given. */
export function designWith(answers: Readonly<Record<string, string>>, more = ''): string {
  const answer = (event: string, params: string, body: string): string =>
    `\ton ${event}(${params}) {\n\t\t${answers[event] ?? body}\n\t}\n`;
  return [
    `// A small design.\ndesign small {\n${more}`,
    answer('create', 'bo, dev, size', 'bo = drm_gem_shmem_create(dev, size, .map_wc = true);'),
    answer('pages_got', 'bo, dev, size', 'drm_gem_shmem_pin(bo);'),
    answer('map_cpu', 'bo, dev, size, p', 'p = mmap(bo);'),
    answer(
      'map_device',
      'bo, dev, size, vm, iova, prot',
      'sgt = drm_gem_shmem_get_pages_sgt(bo);\n\t\tiommu_map_sgtable(vm, iova, sgt, prot);',
    ),
    ...(answers.submit === undefined ? [] : [answer('submit', 'bo, dev, size', '')]),
    '}\n',
  ].join('');
}

export const head = 'machine arm64 {\n\tdevice gpu { .coherent = false };\n}\nu32 *p;\n\n';

/** A use case with these statements in its cpu thread. */
export function useCaseWith(body: string, device = 'u32 x = dma_read(vm, 0x100000);'): string {
  return (
    `// (a) A small use case.\n// Question: small\n${head}` +
    'init {\n\tvm = iommu_domain_alloc(gpu);\n}\n' +
    `cpu user {\n${body}\n}\ndevice gpu {\n\t${device}\n}\n`
  );
}

export const mapFirst = [
  'event create(bo, gpu, PAGE_SIZE);',
  'event map_cpu(bo, gpu, PAGE_SIZE, p);',
  'event pages_got(bo, gpu, PAGE_SIZE);',
  'p[0] = 1;',
  'event map_device(bo, gpu, PAGE_SIZE, vm, 0x100000, IOMMU_READ);',
  'event submit(bo, gpu, PAGE_SIZE);',
  'submit(gpu);',
  'wait(gpu);',
]
  .map((line) => `\t${line}`)
  .join('\n');

export function expanded(designText: string, useCaseText: string): Expansion {
  return expand(design(designText), useCase(useCaseText));
}
