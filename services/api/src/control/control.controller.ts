import { Body, Controller, Header, HttpCode, Inject, NotFoundException, Param, Patch, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { parseIdempotencyKey } from '../jobs/idempotency-key.js';
import type { ShownJob } from '../jobs/job-answers.js';
import { invalid, ProblemError } from '../problems/problem.js';
import { type ControlAsked, parseControlBody, type Verb, verbs } from './control-request.js';
import { Control } from './control.service.js';

@Controller('api/jobs/:id')
export class ControlController {
  constructor(@Inject(Control) private readonly control: Control) {}

  @Post(':verb')
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:write')
  post(
    @Param('id') id: string,
    @Param('verb') name: string,
    @Body() body: unknown,
    @AsCaller() caller: Caller,
    @Req() request: Request,
  ): Promise<ShownJob> {
    const verb = verbs.find((known) => known === name && known !== 'rate-change');
    if (!verb) throw new NotFoundException();
    return this.ask(verb, id, body, caller, request);
  }

  /** The one thing of a job that can be changed is its rate. */
  @Patch()
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:write')
  patch(
    @Param('id') id: string,
    @Body() body: unknown,
    @AsCaller() caller: Caller,
    @Req() request: Request,
  ): Promise<ShownJob> {
    return this.ask('rate-change', id, body, caller, request);
  }

  private async ask(verb: Verb, id: string, body: unknown, caller: Caller, request: Request) {
    const { asked, key } = parsedControl(verb, body, request);
    return this.control.ask(verb, id, caller, asked, key);
  }
}

/** @throws ProblemError unsupported-media-type, invalid-request */
export function parsedControl(verb: Verb, body: unknown, request: Request): { asked: ControlAsked; key?: string } {
  const isEmpty = request.get('content-length') === '0';
  if (!isEmpty && request.is('json') === false) {
    throw new ProblemError('unsupported-media-type', 'The body must be JSON.');
  }
  const key = parseIdempotencyKey(request.get('idempotency-key'));
  const parsed = parseControlBody(verb, body);
  if (!key.ok) throw invalid(key.errors);
  if (!parsed.ok) throw invalid(parsed.errors);
  return { asked: parsed.body, ...(key.key !== undefined && { key: key.key }) };
}
