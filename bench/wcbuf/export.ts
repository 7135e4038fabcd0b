/** wcbuf as civac exports it, for run.mjs: `export.mjs N FOLDER` writes export.pml and export.m. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { murphi } from '../../src/export/murphi.js';
import { exportNetwork } from '../../src/export/network.js';
import { promela } from '../../src/export/promela.js';
import { wcbuf } from './model.js';

const [, , lines = '2', folder = '.'] = process.argv;
const model = exportNetwork(wcbuf(Number(lines), true), `wcbuf, ${lines} lines`);
writeFileSync(join(folder, 'export.pml'), promela(model, [model.name]));
writeFileSync(join(folder, 'export.m'), murphi(model, [model.name]));
