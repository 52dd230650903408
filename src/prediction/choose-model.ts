import { NoDefaultModelError, NoModelError } from '../errors.ts'
import type { Manifest } from '../registry/manifest.ts'
import type { ListedModel, Models } from './models.ts'

/** How a route finds its model where the request names none. */
export interface DefaultModel {
  readonly task: Manifest['task']
  /** From the configuration; '' where it names none. */
  readonly configured: string
  readonly wellKnown: string
}

export interface ServedModels {
  readonly models: readonly ListedModel[]
  readonly isReady: boolean
}

/** The model that a request is for: the one that it names, else as `chooseModel` says. @throws as `chooseModel` */
export function requestedModel (named: string | undefined, fallback: DefaultModel, models: Pick<Models, 'offers' | 'isReady'>): string {
  return named ?? chooseModel(fallback, { models: models.offers(), isReady: models.isReady() })
}

/**
 * The model to ask where the request names none: the configured one, else the one of the well-known name, else the only one of the task. Pure.
 *
 * @throws NoModelError while models are still being loaded, NoDefaultModelError naming the candidates
 */
export function chooseModel ({ task, configured, wellKnown }: DefaultModel, { models, isReady }: ServedModels): string {
  if (configured !== '') return configured
  if (models.some(model => model.name === wellKnown && (model.task ?? task) === task)) return wellKnown
  const candidates = models.filter(model => model.task === task).map(({ name }) => name)
  const [only] = candidates
  if (only !== undefined && candidates.length === 1) return only
  if (!isReady) throw new NoModelError(`none for ${task} is there yet`)
  throw new NoDefaultModelError(task, candidates.length === 0 ? 'there is no such model' : `name one with ?model=, there are: ${candidates.join(', ')}`)
}
