const throttled = /SlowDown|TooManyRequests|Throttl|RequestLimit|^HTTP_(429|503)$/;

/** Whether a bucket says that it is asked for more than it takes; by its code, or the HTTP status of a whole call. */
export function isThrottled({ code, status }: { code: string; status?: number | null | undefined }): boolean {
  return throttled.test(code) || status === 429 || status === 503;
}
