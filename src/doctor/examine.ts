import { availableParallelism } from 'node:os'
import type { Config } from '../config.ts'
import { cacheDirectory } from '../tensorflow/index.ts'
import { checkGpus, GPU_QUERY, parseGpus } from './check-gpu.ts'
import { checkImages } from './check-images.ts'
import { checkLibrary, tensorflowDevices } from './check-library.ts'
import { checkModels } from './check-models.ts'
import { checkNode, checkSettings, checkThreadPool } from './check-settings.ts'
import { checkDisk, checkTools, outputOf } from './check-tools.ts'
import type { Environment, Finding } from './finding.ts'

/** Looks at everything that serving and the set-up need. The next check may crash the process: each finding is given when it is made. */
export async function * examine (env: Environment): AsyncGenerator<Finding> {
  yield checkNode(process.versions.node)
  const { finding, config } = checkSettings(env)
  yield finding
  if (config !== undefined) yield checkThreadPool(env, config, Math.ceil(availableParallelism() / config.WORKERS))
  yield * await checkTools()
  yield await checkDisk(cacheDirectory(env))
  yield await checkImages()
  yield * examineTensorflow(env, config)
}

async function * examineTensorflow (env: Environment, config: Config | undefined): AsyncGenerator<Finding> {
  const { finding, library } = checkLibrary(env)
  yield finding
  const gpus = parseGpus(await outputOf('nvidia-smi', GPU_QUERY))
  yield * checkGpus(gpus, library === undefined ? undefined : await tensorflowDevices(), library?.path)
  if (library !== undefined && config !== undefined) yield * checkModels(config)
}
