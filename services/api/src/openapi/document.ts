import { createDocument } from 'zod-openapi';
import { jobPaths } from './job-paths.js';
import { operationPaths } from './operation-paths.js';

interface Written {
  format?: string;
  minimum?: number;
  maximum?: number;
  examples?: unknown[];
}

/** For the page, which makes examples up: it takes what a number or the pattern of a time can be at most for what it is. */
function exemplary(schema: Written): void {
  if (schema.format === 'date-time') schema.examples = ['2026-11-29T06:44:08.733Z'];
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
}

/** OpenAPI 3.1, made of the schemas that validate. */
export const openApiOf = (version: string): ReturnType<typeof createDocument> =>
  createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'Expunge',
        version,
        description: 'Deletes the records of a tenant and every file they own, in bulk.',
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'Jobs', description: 'Of the tenant that the token names.' },
        { name: 'Operations', description: 'For whoever runs Expunge.' },
      ],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'Its claims name the `tenant` and the `scope`, separated by spaces.',
          },
        },
      },
      paths: { ...operationPaths, ...jobPaths },
    },
    { override: ({ jsonSchema }) => exemplary(jsonSchema) },
  );
