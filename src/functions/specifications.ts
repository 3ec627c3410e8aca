/** What one execution may use. */
export interface Specification {
  cpus: number;
  memoryMegabytes: number;
}

export const DEFAULT_SPECIFICATION = 's-1vcpu-512mb';

/** By slug; the values are in the name. Contract: management, specifications. */
const specifications: ReadonlyMap<string, Specification> = new Map([
  ['s-0.5vcpu-512mb', { cpus: 0.5, memoryMegabytes: 512 }],
  [DEFAULT_SPECIFICATION, { cpus: 1, memoryMegabytes: 512 }],
  ['s-1vcpu-1gb', { cpus: 1, memoryMegabytes: 1_024 }],
  ['s-2vcpu-2gb', { cpus: 2, memoryMegabytes: 2_048 }],
  ['s-2vcpu-4gb', { cpus: 2, memoryMegabytes: 4_096 }],
  ['s-4vcpu-4gb', { cpus: 4, memoryMegabytes: 4_096 }],
  ['s-4vcpu-8gb', { cpus: 4, memoryMegabytes: 8_192 }],
  ['s-8vcpu-4gb', { cpus: 8, memoryMegabytes: 4_096 }],
  ['s-8vcpu-8gb', { cpus: 8, memoryMegabytes: 8_192 }],
]);

export const specificationSlugs: readonly string[] = [...specifications.keys()];

/** The specification of that name; the default one for a name that is unknown. */
export function specificationOf(slug: string): Specification {
  return specifications.get(slug) ?? specifications.get(DEFAULT_SPECIFICATION)!;
}
