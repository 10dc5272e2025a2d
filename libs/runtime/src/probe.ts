/**
 * For a container's health check, whose image has no curl: `node probe.js live` or `node probe.js ready` asks the
 * service that listens on INTERNAL_PORT, or else on PORT, and ends with 0 if the answer is 200 within 4 s, else with 1.
 */
const question = process.argv[2] === 'ready' ? 'ready' : 'live';
const { PORT = '3000', INTERNAL_PORT = PORT } = process.env;
const url = `http://127.0.0.1:${INTERNAL_PORT}/health/${question}`;
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  process.stdout.write(await answer.text());
  process.exit(answer.ok ? 0 : 1);
} catch (error) {
  process.stdout.write(String(error));
  process.exit(1);
}
export {};
