import { readFileSync } from 'node:fs';
import { receipts, type ResourceDefinition, ResourceDefinitions } from '@expunge/contracts';
import { SettingsError } from './settings.js';

/**
 * The resources of RESOURCES_FILE (JSON, an array of resource definitions), or the default ones.
 * @throws SettingsError naming the file, and the field that is wrong
 */
export function loadResources(file: string | undefined): ReadonlyMap<string, ResourceDefinition> {
  const resources = file === undefined ? [receipts] : read(file);
  return new Map(resources.map((resource) => [resource.name, resource]));
}

function read(file: string): ResourceDefinition[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SettingsError(
      `RESOURCES_FILE ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const parsed = ResourceDefinitions.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    parsed.error.issues
      .map((issue) => `RESOURCES_FILE ${file}: ${issue.path.map(String).join('.') || 'file'} ${issue.message}`)
      .join('\n'),
  );
}
