/**
 * `check --with SETTING`: scenarios on another machine than they say, so that a cell of
 * `check --matrix` or `compare` can be seen again. A setting is written as those reports name it;
 * any other that the machine block knows may be given in the same way.
 */

import { deviceSetting, machineSetting } from '../compare/settings.js';
import { nearestName } from '../diagnostics/nearest.js';
import { compile } from '../litmus/index.js';
import type { Program } from '../litmus/program.js';
import { platformsOf } from '../matrix/platforms.js';
import { InputError } from './errors.js';
import type { Input } from './inputs.js';

/** The scenarios with the settings changed, one after the other. */
export function withSettings(
  inputs: readonly Input[],
  settings: readonly string[],
): readonly Input[] {
  return inputs.map((input) => settings.reduce(changed, input));
}

/** A scenario with mistakes stays as it is: they are told where they are. */
function changed(input: Input, label: string): Input {
  const { program } = compile(input.text, input.file);
  if (program === null) return input;
  const named = platformsOf(program).find((each) => each.label === label);
  const change = named?.change ?? changeOf(label, program, input.file);
  return { ...input, text: withoutResult(change(input.text)) };
}

/** What the header expects is about the machine as written. No line comes or goes. */
function withoutResult(text: string): string {
  return text.replace(/^(\s*\/\/)\s*Result:.*$/gmu, '$1');
}

/** `.swiotlb = force`, `gpu .iommu = smmu`; whether there is such a setting, the compiler says. */
function changeOf(label: string, program: Program, file: string): (text: string) => string {
  const parts = /^(?:(\w+)\s+)?\.(\w+)\s*=\s*([\w-]+)$/u.exec(label.trim());
  if (parts === null) {
    throw new InputError(
      `--with: expected '.name = value' or 'device .name = value', not '${label}'`,
    );
  }
  const [, device, name = '', value = ''] = parts;
  if (device === undefined) return machineSetting(name, value).change;
  const devices = program.machine.devices.map((each) => each.name);
  if (devices.includes(device)) return deviceSetting(device, name, value).change;
  const near = nearestName(device, devices);
  const hint = near === undefined ? '' : `; did you mean '${near}'?`;
  throw new InputError(`--with: ${file} has no device '${device}'${hint}`);
}
