import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';

/**
 * Lets a handler's error reach the transport as it was thrown; Nest would make `{status: 'error'}` of it.
 * `@Consumes` puts it on each handler, so that it need not be given to the application (where it would catch HTTP too).
 */
@Catch()
export class ErrorPassThroughFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    if (host.getType() !== 'rpc') throw error;
    return throwError(() => error);
  }
}
