import type { Bound, Condition, ResourceDefinition, Scalar, Selection, WireId } from '@expunge/contracts';
import type { Plan } from '../deletion-job/deletion-job.js';
import { parseKeyPath } from './key-path.js';
import { type Filter, holdsOnly, isNoList } from './planned-keys-filter.js';
import { ofType, toBson } from './record-ids.js';

/** What one job may touch. There is no way to say it without tenant, selection and bound. */
export interface Scope {
  tenant: string;
  selection: Selection;
  bound: Bound;
}

/**
 * The records of a job: tenant, selection, bound, and ids of the declared type. A list matches where one of its elements
 * does: a record of several tenants is not this one's to delete, and a list of dates no date, so lists are refused.
 */
export function inScope(resource: ResourceDefinition, scope: Scope): Filter {
  const { selection, bound } = scope;
  const fields = [
    resource.tenantField,
    ...('filter' in selection ? Object.keys(selection.filter) : []),
    ...('createdAtMost' in bound && resource.createdAtField !== null ? [resource.createdAtField] : []),
  ];
  return { $and: [matching(resource, scope), ...fields.flatMap(isNoList)] };
}

/** What `inScope` says but for lists, which an index alone cannot tell: for counting. */
export function matching(resource: ResourceDefinition, scope: Scope): Filter {
  return {
    $and: [...ofTenant(resource, scope), ...selected(resource, scope.selection), bounded(resource, scope.bound)],
  };
}

/** What the selection means by everything but its ids: records of the tenant under an `_id` that no page shows. */
export function ofOtherTypes(resource: ResourceDefinition, scope: Scope): Filter {
  const { tenant, selection, bound } = scope;
  if (tenant === '') throw new Error('a scope needs a tenant');
  const byDate = 'createdAtMost' in bound ? [bounded(resource, bound)] : [];
  return {
    $and: [
      { [resource.tenantField]: { $eq: tenant } },
      { $nor: [{ _id: ofType[resource.idType] }] },
      ...isNoList(resource.tenantField),
      ...selected(resource, selection),
      ...byDate,
    ],
  };
}

/** The tenant's ids after the cursor, up to a bound by id: what the index of the pages answers by itself. */
export function windowFilter(resource: ResourceDefinition, scope: Scope, cursor: WireId | null): Filter {
  const upTo = 'idAtMost' in scope.bound ? [bounded(resource, scope.bound)] : [];
  return { $and: [...ofTenant(resource, scope), ...upTo, ...after(resource, cursor)] };
}

/** The next records after the cursor, up to an id. */
export function pageFilter(
  resource: ResourceDefinition,
  scope: Scope,
  cursor: WireId | null,
  upTo: WireId | null = null,
): Filter {
  const until = upTo === null ? [] : [{ _id: { $lte: toBson(resource.idType, upTo) } }];
  return { $and: [inScope(resource, scope), ...after(resource, cursor), ...until] };
}

/**
 * The one delete: by the planned ids, within the scope, only records that hold no key outside the plan, and only until
 * the plan's deadline on the server's own clock.
 */
export function deleteFilter(resource: ResourceDefinition, scope: Scope, plan: Plan): Filter {
  if (plan.records.length === 0) throw new Error('a delete needs ids');
  const keys = [...new Set(plan.records.flatMap((record) => record.keys))];
  return {
    $and: [
      { _id: { $in: plan.records.map((record) => toBson(resource.idType, record.id)) } },
      inScope(resource, scope),
      ...holdsOnly(resource.objectKeyPaths.map(parseKeyPath), keys),
      { $expr: { $lt: ['$$NOW', plan.until] } },
    ],
  };
}

function ofTenant(resource: ResourceDefinition, { tenant }: Scope): Filter[] {
  if (tenant === '') throw new Error('a scope needs a tenant');
  return [{ [resource.tenantField]: { $eq: tenant } }, { _id: ofType[resource.idType] }];
}

function after(resource: ResourceDefinition, cursor: WireId | null): Filter[] {
  return cursor === null ? [] : [{ _id: { $gt: toBson(resource.idType, cursor) } }];
}

function bounded(resource: ResourceDefinition, bound: Bound): Filter {
  if ('createdAtMost' in bound) {
    if (resource.createdAtField === null) throw new Error(`${resource.name} has no createdAtField to bound a job by`);
    return { [resource.createdAtField]: { $type: 'date', $lte: new Date(bound.createdAtMost) } };
  }
  // No record at the start: nothing is in scope.
  if (bound.idAtMost === null) return { _id: { $in: [] } };
  return { _id: { $lte: toBson(resource.idType, bound.idAtMost) } };
}

function selected(resource: ResourceDefinition, selection: Selection): Filter[] {
  if ('all' in selection) return [];
  if ('ids' in selection) return [{ _id: { $in: selection.ids.map((id) => toBson(resource.idType, id)) } }];
  return Object.entries(selection.filter).map(([name, condition]) => {
    const field = resource.filterFields.find((f) => f.name === name);
    if (!field) throw new Error(`${name} is no filter field of ${resource.name}`);
    const value = (raw: Scalar) => (field.type === 'date' ? new Date(String(raw)) : raw);
    return { [name]: compared(condition, value) };
  });
}

function compared(condition: Condition, value: (raw: Scalar) => unknown): Filter {
  if (typeof condition !== 'object') return { $eq: value(condition) };
  return Object.fromEntries(
    Object.entries(condition).map(([operator, operand]) => [
      `$${operator}`,
      Array.isArray(operand) ? operand.map(value) : value(operand),
    ]),
  );
}
