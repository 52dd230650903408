import { execFile } from 'node:child_process'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { promisify } from 'node:util'
import { loadLibrary } from '../src/tensorflow/index.ts'
import { ROOT } from './places.ts'

/** What a figure depends on besides the code. */
export interface Machine {
  cpu: string
  cores: number
  memoryGib: number
  gpu: string
  node: string
  tensorflow: string
  /** Short hash; `+` where files of the clone were changed. */
  commit: string
}

export async function describeMachine (): Promise<Machine> {
  const hash = await output('git', ['rev-parse', '--short', 'HEAD'])
  const changes = await output('git', ['status', '--porcelain', '--untracked-files=no'])
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    gpu: await output('nvidia-smi', ['--query-gpu=name', '--format=csv,noheader']) ?? 'none',
    node: process.version,
    tensorflow: loadLibrary().version,
    commit: hash === undefined ? 'unknown' : hash + (changes === '' ? '' : '+')
  }
}

export function machineLine ({ cpu, cores, memoryGib, gpu, node, tensorflow, commit }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB · GPU: ${gpu} · Node ${node} · TensorFlow ${tensorflow} · commit ${commit}`
}

/** @returns undefined where the program is missing or fails */
async function output (file: string, args: string[]): Promise<string | undefined> {
  return await promisify(execFile)(file, args, { cwd: ROOT }).then(({ stdout }) => stdout.trim(), () => undefined)
}
