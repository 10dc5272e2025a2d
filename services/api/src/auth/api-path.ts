/** What else is served here (health, metrics) is for whoever runs the process, and not of the API. */
export const isApiPath = (path: string): boolean => /^\/api(\/|$)/i.test(path);
