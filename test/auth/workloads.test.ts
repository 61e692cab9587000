// Workloads' tokens at the authority, with a cluster that does as it is told: what is asked, how often, and what its silence means.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { AuthorityError, isRefused } from '../../src/auth/authority.ts';
import { createWorkloads } from '../../src/auth/bearer/workloads.ts';
import { workloadProvider } from '../../src/model/identity.ts';
import type { TokenReviewed } from '../../src/model/workload.ts';

const origin = 'https://app.example.com';
const issuer = 'https://kubernetes.default.svc';
const graceMs = 600_000;

async function layCluster() {
  const clock = { now: 1_800_000_000_000 };
  const asked = { issuer: 0, reviews: 0 };
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  let keys = [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256' }];
  const answers = {
    isAway: false,
    reviewed: (): TokenReviewed => ({
      authenticated: true,
      username: 'system:serviceaccount:ci:deployer',
      audiences: [origin],
    }),
  };
  const orAway = () => {
    if (answers.isAway) throw new AuthorityError('away');
  };
  const workloads = createWorkloads({
    cluster: {
      async issuer() {
        asked.issuer += 1;
        orAway();
        return { issuer, keys: keys as never };
      },
      async review() {
        asked.reviews += 1;
        orAway();
        return answers.reviewed();
      },
    },
    graceMs: () => graceMs,
    now: () => clock.now,
  });
  const token = (claims: Record<string, unknown> = {}, header = {}, key = privateKey) =>
    new SignJWT({
      iss: issuer,
      aud: [origin],
      sub: 'system:serviceaccount:ci:deployer',
      iat: clock.now / 1000,
      exp: clock.now / 1000 + 3_600,
      'kubernetes.io': {
        namespace: 'ci',
        serviceaccount: { name: 'deployer', uid: 'u' },
        pod: { name: 'p', uid: 'v' },
      },
      ...claims,
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header })
      .sign(key);
  const judge = async (text: string) => {
    await workloads.issuer();
    return workloads.judge(text, origin);
  };
  return {
    clock,
    asked,
    answers,
    token,
    judge,
    setKeys: (next: typeof keys) => (keys = next),
    async opens(text: string) {
      const judged = await judge(text);
      assert(!isRefused(judged), JSON.stringify(judged));
      return judged;
    },
    async refusal(text: string) {
      const judged = await judge(text);
      assert(isRefused(judged), 'opened');
      return judged.refused;
    },
  };
}

test('a workload is who its token says, and no person', async () => {
  const { token, opens, clock } = await layCluster();
  const { session, renewAt } = await opens(await token());
  assert.equal(session.provider, workloadProvider);
  assert.deepEqual(
    { ...session.identity, claims: {} },
    { user: 'system:serviceaccount:ci:deployer', serviceAccount: 'ci/deployer', groups: [], claims: {} },
  );
  assert.equal(renewAt, clock.now + 30_000);
});

test('the cluster is asked once for all at once, and again after half a minute', async () => {
  const { token, opens, asked, clock } = await layCluster();
  const text = await token();
  await Promise.all(Array.from({ length: 20 }, () => opens(text)));
  assert.deepEqual(asked, { issuer: 1, reviews: 1 });
  clock.now += 29_000;
  await opens(text);
  assert.equal(asked.reviews, 1);
  clock.now += 2_000;
  await opens(text);
  assert.equal(asked.reviews, 2);
});

test('a token that the cluster no longer recognises is refused, and asked about once in ten seconds', async () => {
  const { token, opens, refusal, asked, clock, answers } = await layCluster();
  const text = await token();
  await opens(text);
  answers.reviewed = () => ({ authenticated: false, audiences: [] });
  clock.now += 31_000;
  for (let count = 0; count < 5; count += 1)
    assert.equal(await refusal(text), 'The cluster does not recognise the token.');
  assert.equal(asked.reviews, 2);
});

test('a review of somebody else, or for another audience, is none', async () => {
  for (const wrong of [
    { username: 'system:serviceaccount:ci:other' },
    { audiences: ['https://x'] },
    { audiences: [] },
  ]) {
    const { token, refusal, answers } = await layCluster();
    const right = answers.reviewed();
    answers.reviewed = () => ({ ...right, ...wrong });
    assert.equal(await refusal(await token()), 'The cluster does not recognise the token.', JSON.stringify(wrong));
  }
});

test('while the API server is away a token that counted does so for the grace, and a new one not at all', async () => {
  const { token, opens, judge, clock, answers } = await layCluster();
  const text = await token();
  await opens(text);
  answers.isAway = true;
  clock.now += 31_000;
  const { renewAt } = await opens(text);
  assert.equal(renewAt, clock.now + 5_000, 'the API server is asked again soon');
  await assert.rejects(judge(await token({ jti: 'new' })), AuthorityError);
  clock.now += graceMs;
  await assert.rejects(judge(text), AuthorityError);
  answers.isAway = false;
  await opens(text);
});

test('no token counts that the cluster did not sign for this origin, and nobody is asked about one', async () => {
  const { token, refusal, asked, clock } = await layCluster();
  const { privateKey: foreign } = await generateKeyPair('RS256');
  const unverified = 'The signature of the token cannot be verified.';
  assert.equal(await refusal(await token({}, {}, foreign)), unverified);
  assert.equal(
    await refusal(await token({ aud: ['https://other.example.com'] })),
    'The token is for another audience.',
  );
  assert.equal(await refusal(await token({ aud: [`${origin}:8443`] })), 'The token is for another audience.');
  assert.equal(await refusal(await token({ exp: clock.now / 1000 - 1 })), 'The token has expired.');
  assert.equal(await refusal(await token({ exp: undefined })), 'The token does not say when it expires.');
  assert.equal(await refusal(await token({ iss: 'https://other' })), 'A claim of the token is not as it must be.');
  assert.equal(await refusal(await token({ 'kubernetes.io': undefined })), "The token is no ServiceAccount's.");
  assert.equal(asked.reviews, 0);
});

test('a new key of the cluster’s is read once it signs', async () => {
  const { token, opens, refusal, setKeys, clock, asked } = await layCluster();
  await opens(await token());
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true });
  setKeys([{ ...(await exportJWK(publicKey)), kid: 'k2', alg: 'RS256' }]);
  const next = await token({}, { kid: 'k2' }, privateKey);
  assert.match(await refusal(next), /signature/);
  clock.now += 11_000;
  await opens(next);
  assert.equal(asked.issuer, 2);
});
