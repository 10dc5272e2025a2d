import type { ResourceDefinition } from '@expunge/contracts';
import { Controller, Get, Header, Inject, Param } from '@nestjs/common';
import { RequiresScope } from '../auth/requires-scope.decorator.js';
import { RESOURCES } from '../jobs/resources.js';
import { ProblemError } from '../problems/problem.js';
import type { PresentedResourceCheck } from './resource-answers.js';
import { ResourceChecks } from './resource-checks.service.js';

@Controller('api/resources')
export class ResourcesController {
  constructor(
    @Inject(ResourceChecks) private readonly checks: ResourceChecks,
    @Inject(RESOURCES) private readonly resources: ReadonlyMap<string, ResourceDefinition>,
  ) {}

  @Get(':name/check')
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:read')
  check(@Param('name') name: string): Promise<PresentedResourceCheck> {
    const resource = this.resources.get(name);
    if (!resource) throw new ProblemError('not-found', 'There is no resource of this name.');
    return this.checks.check(resource);
  }
}
