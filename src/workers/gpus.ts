import { execFileSync } from 'node:child_process'

const ASK_TIMEOUT_MS = 10_000

/** What `nvidia-smi` lists; nothing where there is none, or no GPU. Can take seconds. */
export function listGpus (): string {
  try {
    return execFileSync('nvidia-smi', ['-L'], { encoding: 'utf8', timeout: ASK_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}

/**
 * The GPUs that a process may use, by CUDA's names for them: numbers, or `GPU-…` and `MIG-…`. Those of CUDA_VISIBLE_DEVICES where the operator set it, else all; one that is
 * split stands for its parts. Pure.
 *
 * @param list output of `nvidia-smi -L`, asked for where it is needed
 * @see https://docs.nvidia.com/cuda/cuda-c-programming-guide/#cuda-environment-variables
 */
export function visibleGpus (env: Readonly<Record<string, string | undefined>>, list: () => string): string[] {
  const set = env['CUDA_VISIBLE_DEVICES']
  if (set !== undefined) return givenGpus(set)
  const split = list().split(/^(?=GPU )/m)
  return split.flatMap(gpu => {
    const [whole, ...parts] = [...gpu.matchAll(/\(UUID: ((?:GPU|MIG)-[^)]+)\)/g)].map(([, name]) => name!)
    return parts.length > 0 ? parts : whole ?? []
  })
}

/** The first that is no GPU's name ends the list, as CUDA has it. */
function givenGpus (list: string): string[] {
  const names = list.split(',').map(name => name.trim())
  const wrong = names.findIndex(name => !/^(\d+|(GPU|MIG)-.+)$/.test(name))
  return wrong === -1 ? names : names.slice(0, wrong)
}

/** The one GPU that a worker sees where there are several: workers take them in turn. Pure. */
export function gpuEnvironment (gpus: readonly string[], place: number): Record<string, string | undefined> {
  return gpus.length > 1 ? { CUDA_VISIBLE_DEVICES: gpus[place % gpus.length] } : {}
}
