import { jest } from '@jest/globals';

// Whole systems on a busy machine: each test bounds its own waits, more tightly, and says what it waited for.
jest.setTimeout(180_000);
