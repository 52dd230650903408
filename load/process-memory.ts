import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './statistics.ts'

const KIB = 1024

export interface ProcessMemory {
  residentBytes: number
  /** The most that was ever resident since the process started. */
  peakBytes: number
}

/** What the kernel says of a process; undefined where there is no /proc. @throws Error if the process is gone */
export function readProcessMemory (pid: number): ProcessMemory | undefined {
  if (!existsSync('/proc/self/status')) return undefined
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { residentBytes: field(status, 'VmRSS'), peakBytes: field(status, 'VmHWM') }
}

/** Resident bytes of an idle process: the median of some samples. @returns NaN where there is no /proc */
export async function residentBytes (pid: number, samples = 5, everyMs = 100): Promise<number> {
  const found: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    found.push(readProcessMemory(pid)?.residentBytes ?? Number.NaN)
    await sleep(everyMs)
  }
  return median(found)
}

/** The most that each process of a tree ever held, added up; what they share counts more than once. @returns NaN where there is no /proc */
export function treePeakBytes (pid: number): number {
  if (!existsSync('/proc/self/status')) return Number.NaN
  return processTree(pid).reduce((sum, pid) => sum + (readProcessMemory(pid)?.peakBytes ?? 0), 0)
}

/** A process and all that it and its children started, as far as they have not lost their parent. Itself alone where there is no /proc. */
export function processTree (pid: number): number[] {
  const pids = existsSync('/proc/self/status') ? readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(Number) : []
  const parents = new Map(pids.map(pid => [pid, parentOf(pid)]))
  const tree = [pid]
  for (const member of tree) tree.push(...pids.filter(pid => parents.get(pid) === member))
  return tree
}

/** @returns undefined for a process that is no more */
function parentOf (pid: number): number | undefined {
  try {
    // The name in brackets may hold anything; after it come the state and the parent.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')
    return Number(parent)
  } catch {
    return undefined
  }
}

function field (status: string, name: string): number {
  const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
  if (kib === undefined) throw new Error(`Expected ${name} in the process's status but it has ended`)
  return Number(kib) * KIB
}
