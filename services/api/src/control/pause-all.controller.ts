import { Body, Controller, Header, HttpCode, Inject, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import type { Caller } from '../auth/claims.js';
import { AsCaller, RequiresScope } from '../auth/requires-scope.decorator.js';
import { parsedControl } from './control.controller.js';
import { PauseAll } from './pause-all.service.js';
import type { PausedAll } from './pause-all-answer.js';

@Controller('api/pause-all')
export class PauseAllController {
  constructor(@Inject(PauseAll) private readonly all: PauseAll) {}

  @Post()
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  @RequiresScope('ops:write')
  pause(@Body() body: unknown, @AsCaller() caller: Caller, @Req() request: Request): Promise<PausedAll> {
    const { asked, key } = parsedControl('pause', body, request);
    return this.all.pause(caller, asked.reason, key);
  }
}
