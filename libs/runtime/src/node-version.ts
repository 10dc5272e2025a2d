import { SettingsError } from './settings.js';

const OLDEST = { major: 22, minor: 15 };

/**
 * An older Node starts a service and fails at a call it does not know, message by message.
 * @param version such as `24.3.0`
 * @throws SettingsError it is too old
 */
export function checkNode(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return;
  throw new SettingsError(`Node ${OLDEST.major}.${OLDEST.minor} or later is needed, but this is ${version}`);
}
