/** The injection token of the resources by name (ReadonlyMap<string, ResourceDefinition>). */
export const RESOURCES = Symbol('Resources');
