/** A worker thread that is lost takes what it was at with it, and nothing ever becomes coherent. */
import { afterEach, describe, expect, it } from 'vitest';
import { Pool } from '../src/cli/pool.js';
import { checkWork, rowWork, type Work } from '../src/cli/work.js';
import type { Input } from '../src/cli/inputs.js';
import { coherent, endless, root } from './pool-scenarios.js';
