import type { Program } from '../litmus/program.js';
import type { CheckResult } from './result.js';

export interface CheckOptions {
  maxStates?: number;
  maxSeconds?: number;
  maxMemoryBytes?: number;
  order?: 'forward' | 'reverse';
  strictAlias?: boolean;
  onProgress?: (p: { states: number; transitions: number; seconds: number; run: string }) => void;
  interrupted?: () => boolean;
}

export function check(_program: Program, _options: CheckOptions = {}): CheckResult {
  throw new Error('placeholder until the engine lands');
}
