import { LOGGER } from '@expunge/runtime';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import type { Logger } from 'pino';
import { ProblemError } from '../problems/problem.js';
import { isApiPath } from './api-path.js';
import type { Scope } from './claims.js';
import { type Authenticated, REQUIRED_SCOPE } from './requires-scope.decorator.js';
import { KeysUnavailableError } from './served-keys.js';
import { TokenVerifier, type Verified } from './token-verifier.js';

const TOLD_EVERY_MS = 60_000;

/** Lets a request through whose token permits what the route requires. Routes outside /api (health) are open. */
@Injectable()
export class AuthGuard implements CanActivate {
  private toldAt = -Infinity;

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(TokenVerifier) private readonly verifier: TokenVerifier,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<Request & Authenticated>();
    const required = this.reflector.getAllAndOverride<Scope | null | undefined>(REQUIRED_SCOPE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (required === null) return true;
    if (required === undefined) {
      if (!isApiPath(request.path)) return true;
      throw new Error('a route under /api names no scope');
    }
    const token = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new ProblemError('unauthenticated', 'The request has no bearer token.', {}, challenge());
    }
    const verified = await this.verified(token);
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

  private tell(error: KeysUnavailableError): void {
    if (performance.now() - this.toldAt < TOLD_EVERY_MS) return;
    this.toldAt = performance.now();
    this.log.warn({ err: error }, 'tokens cannot be checked');
  }

  private async verified(token: string): Promise<Verified> {
    try {
      return await this.verifier.verify(token, new Date());
    } catch (error) {
      if (!(error instanceof KeysUnavailableError)) throw error;
      this.tell(error);
      const detail = 'The keys with which tokens are checked cannot be had; try again.';
      throw new ProblemError('keys-unavailable', detail, {}, { 'Retry-After': '5' });
    }
  }
}

/** RFC 6750, 3. */
function challenge(parameters = ''): Record<string, string> {
  return { 'WWW-Authenticate': parameters === '' ? 'Bearer realm="expunge"' : `Bearer realm="expunge", ${parameters}` };
}
