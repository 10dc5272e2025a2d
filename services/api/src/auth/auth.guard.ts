import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { SETTINGS } from '@expunge/runtime';
import type { Request } from 'express';
import { ProblemError } from '../problems/problem.js';
import type { ApiSettings } from '../settings.js';
import { type Scope, verifyToken } from './claims.js';
import { type Authenticated, REQUIRED_SCOPE } from './requires-scope.decorator.js';

/** Lets a request through whose token permits what the route requires. Routes outside /api (health) are open. */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly secret: Uint8Array;

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(SETTINGS) settings: ApiSettings,
  ) {
    this.secret = new TextEncoder().encode(settings.JWT_SECRET);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<Request & Authenticated>();
    const required = this.reflector.getAllAndOverride<Scope | undefined>(REQUIRED_SCOPE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (required === undefined) {
      if (!/^\/api(\/|$)/i.test(request.path)) return true;
      throw new Error('a route under /api names no scope');
    }
    const token = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new ProblemError('unauthenticated', 'The request has no bearer token.', {}, challenge());
    }
    const verified = await verifyToken(token, this.secret, new Date());
    if (!verified.ok) {
      const headers = challenge(`error="invalid_token", error_description="${verified.reason}"`);
      throw new ProblemError('unauthenticated', `The bearer token is refused: ${verified.reason}.`, {}, headers);
    }
    if (!verified.caller.scopes.has(required)) {
      const headers = challenge(`error="insufficient_scope", scope="${required}"`);
      throw new ProblemError('insufficient-scope', `The scope ${required} is required.`, {}, headers);
    }
    request.caller = verified.caller;
    return true;
  }
}

/** RFC 6750, 3. */
function challenge(parameters = ''): Record<string, string> {
  return { 'WWW-Authenticate': parameters === '' ? 'Bearer realm="expunge"' : `Bearer realm="expunge", ${parameters}` };
}
