// The memory store keeps the contract.
import { createMemoryStore } from '../../src/sessions/memory.ts';
import { storeContract } from '../sessions.contract.ts';

storeContract('the memory store', async ({ max } = {}) => {
  let offsetMs = 0;
  const now = () => Date.now() + offsetMs;
  return {
    store: createMemoryStore({ now, ...(max !== undefined && { max }) }),
    now,
    advance: (ms) => {
      offsetMs += ms;
    },
  };
});
