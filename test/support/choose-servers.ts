import { chooseServers } from '@expunge/local-stack';

/** Once for all test files of a run, which inherit the choice. */
export default function chooseTestServers(): Promise<void> {
  return chooseServers(process.env, (line) => void process.stdout.write(`expunge: ${line}\n`));
}
