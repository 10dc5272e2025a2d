import { Controller, Get, HttpCode, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { READINESS, Readiness } from './readiness.js';

/** For orchestrators. Carries nothing secret. */
@Controller('health')
export class HealthController {
  constructor(@Inject(READINESS) private readonly readiness: Readiness) {}

  /** The event loop turns; says nothing of stores, so that a store's outage restarts nobody. */
  @Get('live')
  @HttpCode(200)
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<unknown> {
    const report = await this.readiness.report();
    response.status(report.ready ? 200 : 503);
    const checks = Object.entries(report.checks).map(([name, problem]): [string, string | null] => [
      name,
      problem && `${problem.code}: ${problem.message}`,
    ]);
    return { status: report.ready ? 'ok' : 'not-ready', checks: Object.fromEntries(checks) };
  }
}
