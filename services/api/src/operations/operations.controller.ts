import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { parseEventsQuery } from '../jobs/list-query.js';
import { invalid } from '../problems/problem.js';
import type {
  PresentedDiagnosis,
  PresentedHealth,
  PresentedRollCall,
  PresentedWorkerConfig,
} from './operation-answers.js';
import { Operations } from './operations.service.js';

/** Who listens, how it goes, and why a job does not move. Before JobsController, whose `:id` takes any word. */
@Controller('api/jobs')
export class OperationsController {
  constructor(@Inject(Operations) private readonly operations: Operations) {}

  @Get('worker/config')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:read')
  workerConfig(): Promise<PresentedWorkerConfig> {
    return this.operations.workerConfig();
  }

  @Get('worker/events')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:read')
  rollCall(@Query() query: unknown): Promise<PresentedRollCall> {
    const parsed = parseEventsQuery(query);
    if (!parsed.ok) throw invalid(parsed.errors);
    return this.operations.rollCall(parsed.query.after, parsed.query.limit);
  }

  @Get('health')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:read')
  health(): Promise<PresentedHealth> {
    return this.operations.health();
  }

  @Get(':id/diagnosis')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('jobs:read')
  diagnosis(@Param('id') id: string, @AsCaller() caller: Caller): Promise<PresentedDiagnosis> {
    return this.operations.diagnosis(id, caller.tenant);
  }
}
