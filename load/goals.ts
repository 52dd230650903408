import { formatMib, formatNumber } from './format.ts'
import type { Check } from './scenario.ts'

/** One server at one number of connections: medians of the repeats. */
export interface Figures {
  readonly connections: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** NaN where unknown. */
  readonly peakBytes: number
}

/** How far ahead of a server tensorport has to be. */
export interface PeerGoal {
  readonly name: string
  /** Requests a second, as a multiple of the other's. */
  readonly times: number
  /** As many connections as it is held to; default all that are busy. */
  readonly connections?: readonly number[]
  /** Whether peak memory may not be above the other's either. */
  readonly isMemoryHeld?: boolean
}

export interface Goals {
  readonly peers: readonly PeerGoal[]
  /** Least share of the limit. */
  readonly ofLimit?: number
  /** Whether, at one connection, the median has to be as short as the best peer's. */
  readonly isFastestAlone?: boolean
  /** Most that p99 may be of p50, at `TAIL_CONNECTIONS`. */
  readonly tail?: number
}

const TAIL_CONNECTIONS = 32
/** From as many connections on, a server is held to what it can do at most. */
const BUSY_CONNECTIONS = 32

/** What the figures say of the goals; a peer that was left out is not held against anyone. Pure. */
export function checkGoals (goals: Goals, { ours, peers, limit }: { ours: readonly Figures[], peers: ReadonlyMap<string, readonly Figures[]>, limit: number }): Check[] {
  return [
    ...goals.ofLimit === undefined ? [] : [checkLimit(goals.ofLimit, busy(ours), limit)],
    ...goals.peers.flatMap(goal => checkPeer(goal, ours, peers.get(goal.name) ?? [])),
    ...goals.isFastestAlone === true ? checkAlone(ours, [...peers.values()].flat()) : [],
    ...goals.tail === undefined ? [] : checkTail(goals.tail, ours)
  ]
}

function checkLimit (least: number, ours: readonly Figures[], limit: number): Check {
  const shares = ours.map(({ perSecond }) => perSecond / limit)
  return { claim: `at least ${least} of the limit at ${connectionsOf(ours)} connections`, found: shares.map(formatNumber).join(', '), isMet: Math.min(...shares) >= least }
}

function checkPeer ({ name, times, connections, isMemoryHeld = false }: PeerGoal, ours: readonly Figures[], theirs: readonly Figures[]): Check[] {
  if (theirs.length === 0) return []
  const held = connections === undefined ? busy(ours) : ours.filter(({ connections: count }) => connections.includes(count))
  const found = held.map(own => own.perSecond / at(theirs, own.connections).perSecond)
  const speed = { claim: `at least ${times} × as fast as ${name} at ${connectionsOf(held)} connections`, found: found.map(ratio => `${formatNumber(ratio)} ×`).join(', '), isMet: Math.min(...found) >= times }
  return isMemoryHeld ? [speed, checkMemory(name, largest(ours), largest(theirs))] : [speed]
}

function checkMemory (name: string, own: number, other: number): Check {
  return { claim: `peak memory not above that of ${name}`, found: `${formatMib(own)} against ${formatMib(other)} MiB`, isMet: !(own > other) }
}

function checkAlone (ours: readonly Figures[], theirs: readonly Figures[]): Check[] {
  const alone = (figures: readonly Figures[]): number => Math.min(...figures.filter(({ connections }) => connections === 1).map(({ p50Ms }) => p50Ms))
  const [own, best] = [alone(ours), alone(theirs)]
  if (!Number.isFinite(best)) return []
  return [{ claim: 'at 1 connection the median is not above the best peer\'s', found: `${formatNumber(own)} against ${formatNumber(best)} ms`, isMet: own <= best }]
}

function checkTail (most: number, ours: readonly Figures[]): Check[] {
  return ours.filter(({ connections }) => connections === TAIL_CONNECTIONS).map(({ p50Ms, p99Ms }) => (
    { claim: `p99 is at most ${most} × p50 at ${TAIL_CONNECTIONS} connections`, found: `${formatNumber(p99Ms / p50Ms)} ×`, isMet: p99Ms / p50Ms <= most }
  ))
}

function busy (figures: readonly Figures[]): readonly Figures[] {
  return figures.filter(({ connections }) => connections >= BUSY_CONNECTIONS)
}

function at (figures: readonly Figures[], connections: number): Figures {
  const found = figures.find(figure => figure.connections === connections)
  if (found === undefined) throw new Error(`Nothing was measured at ${connections} connections. This is a bug.`)
  return found
}

function largest (figures: readonly Figures[]): number {
  return Math.max(...figures.map(({ peakBytes }) => peakBytes))
}

function connectionsOf (figures: readonly Figures[]): string {
  return figures.map(({ connections }) => connections).join(' and ')
}
