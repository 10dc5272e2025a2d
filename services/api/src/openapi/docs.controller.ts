import { VERSION } from '@expunge/runtime';
import { Controller, Get, Header } from '@nestjs/common';
import { NeedsNoToken } from '../auth/requires-scope.decorator.js';
import { openApiOf } from './document.js';
import { DOCS_ASSETS } from './docs-assets.js';

/** Nothing but its own files, and the API itself to try it on. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Expunge: API</title>
    <link rel="icon" href="${DOCS_ASSETS}/favicon-32x32.png">
    <link rel="stylesheet" href="${DOCS_ASSETS}/swagger-ui.css">
  </head>
  <body>
    <div id="api"></div>
    <script src="${DOCS_ASSETS}/swagger-ui-bundle.js"></script>
    <script src="/api/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  validatorUrl: null,
});
`;

/** What the API is, for programs and for people. */
@Controller('api')
@NeedsNoToken()
export class DocsController {
  private readonly document = openApiOf(VERSION);

  @Get('openapi.json')
  @Header('Cache-Control', 'no-cache')
  openapi(): ReturnType<typeof openApiOf> {
    return this.document;
  }

  @Get('docs')
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Content-Security-Policy', policy)
  @Header('X-Content-Type-Options', 'nosniff')
  docs(): string {
    return page;
  }

  @Get('docs/start.js')
  @Header('Content-Type', 'text/javascript; charset=utf-8')
  start(): string {
    return start;
  }
}
