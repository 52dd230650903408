import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Frees what JavaScript no longer refers to, so that what is measured after is held for a reason. */
export async function collectGarbage (): Promise<void> {
  collect()
  await new Promise(resolve => { setImmediate(resolve) }) // finalizers run in a turn of their own
}
