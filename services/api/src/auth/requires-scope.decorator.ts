import { createParamDecorator, type CustomDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Caller, Scope } from './claims.js';

export const REQUIRED_SCOPE = 'expunge:scope';

/** What a token must permit for this route. A route under /api that names neither a scope nor none answers nobody. */
export const RequiresScope = (scope: Scope): CustomDecorator => SetMetadata(REQUIRED_SCOPE, scope);
export const NeedsNoToken = (): CustomDecorator => SetMetadata(REQUIRED_SCOPE, null);

export interface Authenticated {
  caller?: Caller;
}

/** Who asks, as the guard found out. */
export const AsCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<Authenticated>();
  if (!caller) throw new Error('the route is not guarded');
  return caller;
});
