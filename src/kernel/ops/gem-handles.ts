/**
 * Operations: which clients have a handle for an object, and so own what is in it (M14, H6).
 * Sources (v6.12): drivers/gpu/drm/drm_gem.c (drm_gem_handle_create_tail, drm_gem_handle_delete),
 * drm_vma_manager.c (drm_vma_node_allow, drm_vma_node_revoke).
 * Leaves out: the numbers of handles, so that an object is named by itself; the last reference,
 * since an object whose last handle goes stays in its driver's cache until the scenario frees it.
 */
import { storesPending } from '../access.js';
import { bufferArg, int } from '../args.js';
import { addClient, dropClient } from '../owners.js';
import { type Effect, family, type Operation, type Param } from '../registry.js';

const create: Effect = (context, args) => {
  addClient(context, bufferArg(context, args[1]).id, int(args[0]));
  return 0;
};

/** The object's locks order the client's stores before whoever gets the object next. */
const drop: Effect = (context, args) => {
  const { id } = bufferArg(context, args[1]);
  if (storesPending(context)) context.blocked = true;
  else if (!dropClient(context, id, int(args[0]))) {
    context.contract('drm_gem_handle_delete of a handle that the client does not have');
  }
  return 0;
};

const params: readonly Param[] = [
  { name: 'file_priv', kinds: ['int'] },
  { name: 'obj', kinds: ['bo', 'page'] },
];

const op = family({ family: 'GEM', where: 'cpu', returns: 'int', rules: ['K7', 'M14'] });

export const gemHandleOperations: readonly Operation[] = [
  op(
    'drm_gem_handle_create',
    params,
    'a handle for a client (a number); what clients left who are all gone is a secret to others',
    'drivers/gpu/drm/drm_gem.c:drm_gem_handle_create',
    create,
  ),
  op(
    'drm_gem_handle_delete',
    params,
    'takes a handle of a client away; the object stays, as in a cache of the driver',
    'drivers/gpu/drm/drm_gem.c:drm_gem_handle_delete',
    drop,
  ),
];
