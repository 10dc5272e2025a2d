import { createDocument } from 'zod-openapi';
import { jobPaths } from './job-paths.js';
import { operationPaths } from './operation-paths.js';

/** OpenAPI 3.1, made of the schemas that validate. */
export const openApiOf = (version: string): ReturnType<typeof createDocument> =>
  createDocument({
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
  });
