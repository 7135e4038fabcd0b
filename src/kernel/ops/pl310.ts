/**
 * Operations: maintenance of Arm's PL310 outer cache from the secure world (M2, M9, M17). The
 * PL310 tags each line with the security state of the access that brought it in, and operations
 * by physical address that come in by its secure registers reach secure lines only. Every page of
 * a scenario is normal memory, so its lines are non-secure.
 * Sources: PL310 TRM (DDI0246) "TrustZone support in the cache controller"; OP-TEE
 * core/arch/arm/kernel/tz_ssvce_pl310_a32.S (arm_cl2_*bypa), core/arch/arm/mm/core_mmu.c
 * (cache_op_outer); optee_os #4783 and #6535.
 * Leaves out: secure memory, and lines of one address cached twice.
 */
import type { Maintenance } from '../../machine/store-buffer.js';
import { int } from '../args.js';
import { badAddress } from '../dma.js';
import { physicalPlace } from '../dma-address.js';
import { maintain } from '../maintenance.js';
import type { Effect, Operation } from '../registry.js';

function byPhysicalAddress(op: Maintenance): Effect {
  return (context, args) => {
    if (context.option('nsec') === 0) {
      context.noop('by the secure registers of the PL310: non-secure lines are not touched');
      return 0;
    }
    const place = physicalPlace(context, int(args[0]));
    if (place === null) badAddress(context, int(args[0]));
    else {
      const size = int(args[1]) - int(args[0]) + 1;
      maintain(context, op, { buffer: place.buffer, from: place.offset, size });
    }
    return 0;
  };
}

const operations = [
  ['arm_cl2_cleanbypa', 'clean', 'cleans'],
  ['arm_cl2_invbypa', 'invalidate', 'invalidates'],
  ['arm_cl2_cleaninvbypa', 'clean+invalidate', 'cleans and invalidates'],
] as const;

export const pl310Operations: readonly Operation[] = operations.map(
  ([name, op, does]): Operation => ({
    name,
    profiles: ['arm64'],
    family: 'cache helpers',
    where: 'cpu',
    returns: 'void',
    rules: ['M9', 'M17'],
    params: [
      { name: 'start', kinds: ['phys'] },
      { name: 'end', kinds: ['phys'] },
    ],
    options: [
      {
        name: 'nsec',
        kind: 'bool',
        doc: 'by the non-secure alias of the controller; else lines of normal memory stay',
      },
    ],
    doc: `PL310: ${does} the outer cache's lines of [start, end], as the secure world does it`,
    source: 'optee_os core/arch/arm/mm/core_mmu.c:cache_op_outer; PL310 TRM (DDI0246)',
    removable: 'drop',
    effect: byPhysicalAddress(op),
  }),
);
