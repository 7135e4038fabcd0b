/**
 * Operations: the domain that the DMA API itself uses for a device (K5, K6).
 * Source: drivers/iommu/iommu.c:iommu_get_domain_for_dev.
 * Leaves out: what the function returns after a driver attached the device to another domain.
 */
import { deviceArg, fail } from '../args.js';
import { dmaDomain, domainOf } from '../iommu.js';
import type { Operation } from '../registry.js';

export const iommuDefaultOperations: readonly Operation[] = [
  {
    name: 'iommu_get_domain_for_dev',
    family: 'IOMMU API',
    where: 'cpu',
    returns: 'domain',
    rules: ['K6', 'M12'],
    params: [{ name: 'dev', kinds: ['device'] }],
    doc: "the domain in which the DMA API maps for the device: its addresses are not the caller's",
    source: 'drivers/iommu/iommu.c:iommu_get_domain_for_dev',
    effect: (context, args) => {
      const id = dmaDomain(deviceArg(context, args[0]));
      if (domainOf(context, id) === undefined) fail(context, 'the device has no .iommu');
      return { kind: 'domain', id };
    },
  },
];
