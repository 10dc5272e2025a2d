import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';

export const DOCS_ASSETS = '/api/docs/assets';

/** The page's script and style, from the package itself: nothing is loaded from elsewhere. */
export function serveDocsAssets(http: NestExpressApplication): void {
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  http.useStaticAssets(folder, { prefix: DOCS_ASSETS, index: false, redirect: false, maxAge: '1d' });
}
