import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { isApiPath } from '../auth/api-path.js';
import { invalid } from './problem.js';

/**
 * A route that reads no query takes none: with `POST /api/jobs?dry_run=true` somebody means what would not happen.
 * Those that read one refuse by their schema what they do not know.
 */
@Injectable()
export class UnreadQueryGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const { path, query } = context.switchToHttp().getRequest<Request>();
    if (!isApiPath(path) || readsQuery(context)) return true;
    const errors = Object.keys(query).map((parameter) => ({ parameter, detail: 'is not known here' }));
    if (errors.length > 0) throw invalid(errors);
    return true;
  }
}

/** As the framework notes it of `@Query()`: `<kind>:<index>`. */
function readsQuery(context: ExecutionContext): boolean {
  const args: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name);
  return Object.keys(args ?? {}).some((kind) => kind.startsWith(`${String(RouteParamtypes.QUERY)}:`));
}
