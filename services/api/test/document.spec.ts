import 'reflect-metadata';
import { receipts, wellFormed } from '@expunge/contracts';
import { describe, expect, it } from '@jest/globals';
import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, MODULE_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import { Described, type OpenApi } from '../../../test/support/described.js';
import { ApiModule } from '../src/api.module.js';
import { REQUIRED_SCOPE } from '../src/auth/requires-scope.decorator.js';
import { verbs } from '../src/control/control-request.js';
import { parseJobRequest } from '../src/jobs/job-request.js';
import { openApiOf } from '../src/openapi/document.js';

const document = openApiOf('1.2.3');

interface Route {
  method: string;
  path: string;
  scope: unknown;
}

/** As the framework is told of them. */
function routesOf(controller: Type): Route[] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((name) => {
    const handler = prototype[name] ?? {};
    const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
    if (method === undefined) return [];
    const parts = [controller, handler].map((of) => Reflect.getMetadata(PATH_METADATA, of) as string);
    const path = `/${parts.filter((part) => part !== '/').join('/')}`.replaceAll(/:(\w+)/g, '{$1}');
    return [{ method: RequestMethod[method], path, scope: Reflect.getMetadata(REQUIRED_SCOPE, handler) as unknown }];
  });
}

const byVerb = (route: Route): Route[] =>
  route.path.endsWith('/{verb}')
    ? verbs
        .filter((verb) => verb !== 'rate-change')
        .map((verb) => ({ ...route, path: route.path.replace('{verb}', verb) }))
    : [route];

const inOrder = (routes: Route[]) =>
  routes.map(({ method, path, scope }) => `${method} ${path} ${String(scope)}`).sort();

describe('the OpenAPI document', () => {
  it('is OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    );
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
  });

  it('has every route that needs a token, with its scope, and no other', () => {
    const controllers = Reflect.getMetadata(MODULE_METADATA.CONTROLLERS, ApiModule) as Type[];
    const needToken = controllers.filter((one) => Reflect.getMetadata(REQUIRED_SCOPE, one) !== null);
    const described = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { security: { bearer: string[] }[] }>).map(([method, { security }]) => ({
        method: method.toUpperCase(),
        path,
        scope: security[0]?.bearer[0],
      })),
    );
    expect(inOrder(described)).toEqual(inOrder(needToken.flatMap(routesOf).flatMap(byVerb)));
  });

  it.each([
    ['POST', '/api/jobs', 202, {}, ['lacks Location']],
    ['POST', '/api/jobs', 202, { location: '/api/jobs/1', 'preference-applied': 'handling=strict' }, []],
    ['POST', '/api/jobs', 401, {}, ['lacks WWW-Authenticate']],
    ['GET', '/api/jobs', 503, { 'retry-after': '2' }, []],
    ['GET', '/api/jobs', 429, {}, ['lacks Retry-After']],
    ['GET', '/api/jobs/1', 404, { location: '/' }, ['has Location, which is not described']],
  ])('of %s %s says which headers a %i has: %j', (method, path, status, headers, wrong) => {
    const contentType = status < 300 ? 'application/json' : 'application/problem+json';
    const answer = { method, path, status, contentType, headers: new Headers(headers), body: {} };
    const violations = new Described(document as unknown as OpenApi).violationsOf(answer);
    expect(violations.filter((one) => / (lacks|has) /.test(one))).toEqual(
      wrong.map((one) => `${method} ${path} ${status} ${one}`),
    );
  });

  it('takes as a body whatever is taken as a deletion', () => {
    const described = new Described(document as unknown as OpenApi);
    const scalar = fc.oneof(
      fc.integer(),
      fc.string().filter((text) => wellFormed.safeParse(text).success),
    );
    const condition = fc.oneof(
      scalar,
      fc.dictionary(fc.constantFrom('eq', 'gt', 'gte', 'lt', 'lte'), scalar),
      fc.record({ in: fc.array(scalar) }),
    );
    const selection = fc.oneof(
      fc.constant({ all: true }),
      fc.record({ ids: fc.array(fc.stringMatching(/^[0-9a-f]{24}$/)) }),
      fc.record({ filter: fc.dictionary(fc.constantFrom('company', 'total', 'date', 'other'), condition) }),
      fc.anything(),
    );
    const options = fc.record(
      {
        batch_size: fc.integer({ min: 0, max: 1001 }),
        max_records_per_second: fc.integer(),
        verify: fc.constantFrom('full', 'none', 'some'),
      },
      { requiredKeys: [] },
    );
    const body = fc.record(
      { resource: fc.constant('receipts'), selection, options, reason: fc.option(fc.string()) },
      { requiredKeys: ['resource', 'selection'] },
    );
    const resources = new Map([[receipts.name, receipts]]);
    let taken = 0;
    fc.assert(
      fc.property(body, (one) => {
        if (!parseJobRequest(one, resources).ok) return;
        taken++;
        expect(described.bodyViolationsOf('POST', '/api/jobs', one)).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect(taken).toBeGreaterThan(20);
  });
});
