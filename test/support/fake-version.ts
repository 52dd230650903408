import { UNCALIBRATED } from '../../src/registry/calibrate.ts'
import type { LoadedVersion, LoadVersion } from '../../src/registry/load-version.ts'
import { floats, type TensorValue } from '../../src/tensorflow/index.ts'

/** A stand-in for a version in TensorFlow's memory: y = x, when the test lets it. */
export class FakeVersion implements LoadedVersion {
  readonly directory: string
  readonly manifest = { format: 1, task: 'tensor' } as const
  readonly signatures = {
    serving_default: {
      name: 'serving_default',
      method: '',
      changesState: false,
      inputs: { x: { tensorName: 'x:0', dtype: 'float32', shape: [-1] } },
      outputs: { y: { tensorName: 'y:0', dtype: 'float32', shape: [-1] } }
    }
  } as LoadedVersion['signatures']

  readonly calibration = { ...UNCALIBRATED, runsInFlight: 1 }
  readonly devices = ['CPU:0']
  readonly notes = []
  isDisposed = false
  /** Runs that were begun and not ended, oldest first. */
  readonly runs: { end (): void, fail (error: Error): void }[] = []

  constructor (directory: string) {
    this.directory = directory
  }

  async run (_signature: string, inputs: Readonly<Record<string, TensorValue>>): Promise<Record<string, TensorValue>> {
    if (this.isDisposed) throw new Error('run after dispose')
    return await new Promise((resolve, reject) => {
      this.runs.push({ end: () => { resolve({ y: inputs['x']! }) }, fail: reject })
    })
  }

  async dispose (): Promise<void> {
    this.isDisposed = true
  }
}

/** Loads fakes; `plan` says how each directory fares: it waits for the promise, whose error is the load's. */
export function fakeLoader (plan: (directory: string, attempt: number) => Promise<void> = async () => {}): { load: LoadVersion, loaded: FakeVersion[] } {
  const loaded: FakeVersion[] = []
  const attempts = new Map<string, number>()
  return {
    loaded,
    load: async (directory, { onWarming }) => {
      const attempt = (attempts.get(directory) ?? 0) + 1
      attempts.set(directory, attempt)
      await plan(directory, attempt)
      onWarming()
      const version = new FakeVersion(directory)
      loaded.push(version)
      return version
    }
  }
}

export const ONE_ROW = { x: floats([1], [1]) }
