import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { tellRoute } from '@expunge/telemetry';
import type { Observable } from 'rxjs';

/** Names the span of a request by its route, which of all parts only the framework knows. */
export class RouteName implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() === 'http') {
      const { route } = context.switchToHttp().getRequest<{ route?: { path?: string } }>();
      if (route?.path) tellRoute(route.path);
    }
    return next.handle();
  }
}
