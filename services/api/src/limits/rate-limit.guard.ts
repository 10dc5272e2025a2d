import { SETTINGS } from '@expunge/runtime';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Authenticated } from '../auth/requires-scope.decorator.js';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';

/** After AuthGuard: a tenant takes no other's share. Counted on this instance alone. */
@Injectable()
export class RateLimitGuard implements CanActivate {
  private readonly limiter: RateLimiterMemory;

  constructor(@Inject(SETTINGS) { REQUESTS_PER_SECOND: points }: ApiSettings) {
    this.limiter = new RateLimiterMemory({ points, duration: 1 });
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const { caller } = context.switchToHttp().getRequest<Request & Authenticated>();
    if (!caller) return true;
    try {
      await this.limiter.consume(caller.tenant);
      return true;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const detail = `The tenant has asked ${this.limiter.points} times within a second.`;
      const seconds = Math.ceil(refusal.msBeforeNext / 1000);
      throw new ProblemError('too-many-requests', detail, {}, { 'Retry-After': String(Math.max(1, seconds)) });
    }
  }
}
