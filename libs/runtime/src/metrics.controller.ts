import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { Telemetry } from '@expunge/telemetry';
import type { Request, Response } from 'express';

export const TELEMETRY = Symbol('Telemetry');

/** For Prometheus. Counts alone: no tenant, no record, no secret. */
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(TELEMETRY) private readonly telemetry: Pick<Telemetry, 'answerMetrics'>) {}

  @Get()
  metrics(@Req() request: Request, @Res() response: Response): void {
    this.telemetry.answerMetrics(request, response);
  }
}
