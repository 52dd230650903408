import { readFile } from 'node:fs/promises'
import { collectGarbage } from './collect-garbage.ts'

/**
 * MiB of memory that the process holds for itself, garbage not counted. Pages of libtensorflow's file, which come and go with what
 * the machine does besides, are left out where the system tells them apart.
 */
export async function ownMemoryMib (): Promise<number> {
  await collectGarbage()
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const anonymous = /^RssAnon:\s+(\d+) kB$/m.exec(status)
  return anonymous === null ? process.memoryUsage.rss() / 2 ** 20 : Number(anonymous[1]) / 1024
}
