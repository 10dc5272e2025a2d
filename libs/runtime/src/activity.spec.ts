import { expect, it } from '@jest/globals';
import { Activity } from './activity.js';

const doing = (activity: Activity) => activity.snapshot().doing?.what ?? null;

it('tells the oldest of what is under way, and of what has moved on the time of that', () => {
  const activity = new Activity();
  const [slow, quick] = [activity.begin('slow'), activity.begin('quick')];
  expect(doing(activity)).toBe('slow');
  slow.movedOn();
  expect(doing(activity)).toBe('quick');
  quick.end();
  expect(doing(activity)).toBe('slow');
  slow.end();
  expect(doing(activity)).toBeNull();
});

it('has in its snapshot what a service tells of itself, and nothing of what it leaves out', () => {
  const activity = new Activity();
  activity.contribute(() => ({ sequences: { job: 3 }, sharedLimit: undefined }));
  expect(activity.snapshot()).not.toHaveProperty('sharedLimit');
  activity.contribute(() => ({ sharedLimit: { maxRecordsPerSecond: 5, heldUpMs: 1 } }));
  expect(activity.snapshot()).toMatchObject({ sequences: { job: 3 }, sharedLimit: { maxRecordsPerSecond: 5 } });
});

it('does not take up again what has ended', () => {
  const activity = new Activity();
  const step = activity.begin('step');
  step.end();
  step.movedOn();
  expect(doing(activity)).toBeNull();
});
