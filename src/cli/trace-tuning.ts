/**
 * How V8 compiles the hot loop of `civac trace`. A trace of some hundred thousand events is over
 * before the compiler is: most of its CPU time goes into copying functions into their callers and
 * compiling the copies. With less of that the same code is ready sooner, and no slower later
 * (bench/trace-speed.mjs). Leaves out every other command.
 *
 * Source: V8's flag definitions (src/flags/flag-definitions.h), where the flag has this name in
 * the versions of Node below; V8 only looks at it when it compiles.
 */
import { setFlagsFromString } from 'node:v8';

/** Bytes of bytecode that may be copied into one function; V8 allows 920. */
const inlinedMax = 150;
/** Newer ones would complain on stderr about a flag they no longer know. */
const nodeMax = 24;

export function tuneForTraces(): void {
  if (Number(process.versions.node.split('.')[0]) > nodeMax) return;
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${inlinedMax}`);
}
