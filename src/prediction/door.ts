import type { Reservation } from '../batching/admission.ts'
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
 * Keeps a place for a request whose body is still to come, or refuses it before its body is read: where many are refused, to read what they send would cost more
 * than to answer others.
 *
 * @returns undefined where what is wrong with the request is to be said later
 * @throws QueueFullError, DeadlineExceededError
 */
export type Door = (heading: Heading) => Reservation | undefined

/** @param fallback for requests that name no model; left out, all do */
export function createDoor (models: Models, fallback?: DefaultModel): Door {
  return ({ model, version, deadline, trace }) => {
    try {
      const name = fallback === undefined ? model : requestedModel(model, fallback, models)
      return name === undefined ? undefined : reserve(models, name, version, { deadline, trace })
    } catch (error) {
      if (error instanceof QueueFullError || error instanceof DeadlineExceededError) throw error
      return undefined
    }
  }
}

/** The version itself is not held: a body that comes slowly would keep an old one from going. */
function reserve (models: Models, model: string, version: number | undefined, { deadline, trace }: Pick<Heading, 'deadline' | 'trace'>): Reservation {
  const found = models.find(model, version)
  trace.serves(found)
  return found.reserve({ receivedAt: trace.startedAt, deadline })
}
