/**
 * Operations: a driver leaves its device (K5, H11).
 * Sources: drivers/base/dd.c:device_release_driver, kernel/dma/debug.c:dma_debug_device_change
 * (BUS_NOTIFY_UNBOUND_DRIVER).
 * Leaves out: of devres all but dmam_alloc_*; removal of the device itself.
 */
import { deviceArg } from '../args.js';
import type { Effect, Operation } from '../registry.js';
import { freeManaged } from './coherent.js';

const releaseDriver: Effect = (context, args) => {
  const device = deviceArg(context, args[0]);
  freeManaged(context, device);
  const pending = context.kernel.mappings.filter((each) => each.device === device);
  if (pending.length > 0) {
    context.contract(
      'device driver has pending DMA allocations while released from device ' +
        `[count=${pending.length}]`,
    );
  }
  return 0;
};

export const driverOperations: readonly Operation[] = [
  {
    name: 'device_release_driver',
    family: 'device',
    where: 'cpu',
    returns: 'void',
    rules: ['K5'],
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: 'unbinds the driver; frees what dmam_alloc_* took; other mappings of the device are leaked',
    source:
      'drivers/base/dd.c:device_unbind_cleanup (devres_release_all); kernel/dma/debug.c:dma_debug_device_change',
    effect: releaseDriver,
  },
];
