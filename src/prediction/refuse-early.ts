import { DeadlineExceededError, QueueFullError } from '../errors.ts'
import { requestedModel, type DefaultModel } from './choose-model.ts'
import type { Models } from './models.ts'
import type { Trace } from './trace.ts'

/** What is known of a request when its headers are there. */
export interface Heading {
  readonly model: string | undefined
  readonly version: number | undefined
  readonly deadline: number
  readonly trace: Trace
}

/**
 * Why a request is not let in, before its body is read: where many are refused, to read what they send would cost more than to answer others.
 *
 * @returns QueueFullError, DeadlineExceededError; undefined where the request may come in, or where what else is wrong with it is to be said later
 */
export type Refusal = (heading: Heading) => Error | undefined

/** @param fallback for requests that name no model; left out, all do */
export function createRefusal (models: Models, fallback?: DefaultModel): Refusal {
  return ({ model, version, deadline, trace }) => {
    try {
      const name = fallback === undefined ? model : requestedModel(model, fallback, models)
      if (name !== undefined) askAtDoor(models, name, version, { deadline, trace })
    } catch (error) {
      if (error instanceof QueueFullError || error instanceof DeadlineExceededError) return error
    }
    return undefined
  }
}

function askAtDoor (models: Models, model: string, version: number | undefined, { deadline, trace }: Pick<Heading, 'deadline' | 'trace'>): void {
  const handle = models.acquire(model, version)
  try {
    trace.serves(handle.version)
    handle.version.refuseIfFull({ receivedAt: trace.startedAt, deadline })
  } finally {
    handle.release()
  }
}
