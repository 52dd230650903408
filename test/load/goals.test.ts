import t from 'tap'
import { checkGoals, type Figures } from '../../load/goals.ts'

const MIB = 1024 * 1024

function figures (connections: number, perSecond: number, { p50Ms = 10, p99Ms = 12, peakMib = 400 } = {}): Figures {
  return { connections, perSecond, p50Ms, p99Ms, peakBytes: peakMib * MIB }
}

const OURS = [figures(1, 50, { p50Ms: 9 }), figures(32, 180), figures(64, 150)]

t.test('holds a server to its goal at every busy number of connections, the worst of them deciding', async t => {
  const peers = new Map([['other', [figures(1, 60), figures(32, 90), figures(64, 100)]]])
  t.strictSame(checkGoals({ peers: [{ name: 'other', times: 1.6 }] }, { ours: OURS, peers, limit: 200 }), [
    { claim: 'at least 1.6 × as fast as other at 32 and 64 connections', found: '2.00 ×, 1.50 ×', isMet: false }
  ])
})

t.test('does not hold a peer that was left out against anyone', async t => {
  t.strictSame(checkGoals({ peers: [{ name: 'other', times: 2 }], isFastestAlone: true }, { ours: OURS, peers: new Map(), limit: 200 }), [])
})

t.test('compares with the limit, and peak memory with a peer\'s', async t => {
  const peers = new Map([['other', [figures(64, 50, { peakMib: 300 })]]])
  const checks = checkGoals({ ofLimit: 0.7, peers: [{ name: 'other', times: 2, connections: [64], isMemoryHeld: true }] }, { ours: OURS, peers, limit: 200 })
  t.strictSame(checks, [
    { claim: 'at least 0.7 of the limit at 32 and 64 connections', found: '0.90, 0.75', isMet: true },
    { claim: 'at least 2 × as fast as other at 64 connections', found: '3.00 ×', isMet: true },
    { claim: 'peak memory not above that of other', found: '400 against 300 MiB', isMet: false }
  ])
})

t.test('compares the median of one connection with the best peer\'s', async t => {
  const peers = new Map([['slow', [figures(1, 1, { p50Ms: 20 })]], ['fast', [figures(1, 1, { p50Ms: 8 })]]])
  t.strictSame(checkGoals({ peers: [], isFastestAlone: true }, { ours: OURS, peers, limit: 200 }), [
    { claim: 'at 1 connection the median is not above the best peer\'s', found: '9.00 against 8.00 ms', isMet: false }
  ])
})

t.test('looks at the tail at 32 connections', async t => {
  t.strictSame(checkGoals({ peers: [], tail: 1.5 }, { ours: OURS, peers: new Map(), limit: 200 }), [
    { claim: 'p99 is at most 1.5 × p50 at 32 connections', found: '1.20 ×', isMet: true }
  ])
})
