export interface KernelContext { readonly placeholder: true }
