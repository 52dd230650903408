import { choose, placeOf, valueAt, type Dimension, type Hyperparameters, type HyperparameterValue, type SearchSpace } from './search-space.ts'

/** Which share of the trials counts as good. */
const GOOD_SHARE = 0.25

/** Candidates drawn from where the good trials lie; the one that is most like them and least like the rest is taken. */
const CANDIDATES = 24

/**
 * Suggests hyperparameters by a tree-structured Parzen estimator: one density over the good trials, one over the others, each dimension by
 * itself, and the candidate where their ratio is largest. Dimensions under conditions look only at trials in which they counted. Pure but for `random`.
 *
 * @param tried best first, at least two
 * @see Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization", NIPS 2011
 */
export function parzenSuggestion (space: SearchSpace, tried: readonly Hyperparameters[], random: () => number): Hyperparameters {
  const goodCount = Math.max(1, Math.ceil(tried.length * GOOD_SHARE))
  const [good, others] = [tried.slice(0, goodCount), tried.slice(goodCount)]
  return choose(space, (name, dimension) => {
    const places = (trials: readonly Hyperparameters[]): number[] => trials.flatMap(trial => trial[name] === undefined ? [] : [placeOf(dimension, trial[name])])
    return dimension.kind === 'choice' ? bestChoice(dimension.values, name, good, others, random) : bestPlace(dimension, places(good), places(others), random)
  })
}

/** Each value as likely as it is among the good, one more counted for every value, against the same of the others. */
function bestChoice (values: readonly HyperparameterValue[], name: string, good: readonly Hyperparameters[], others: readonly Hyperparameters[], random: () => number): HyperparameterValue {
  const shareIn = (trials: readonly Hyperparameters[], value: HyperparameterValue): number => (
    (trials.filter(trial => trial[name] === value).length + 1) / (trials.length + values.length)
  )
  const weights = values.map(value => shareIn(good, value) ** 2 / shareIn(others, value))
  let rest = random() * weights.reduce((sum, weight) => sum + weight, 0)
  return values[weights.findIndex(weight => (rest -= weight) < 0)] ?? values.at(-1)!
}

function bestPlace (dimension: Dimension, good: readonly number[], others: readonly number[], random: () => number): HyperparameterValue {
  const [like, unlike] = [density(good), density(others)]
  let best = { place: random(), ratio: -Infinity }
  for (let candidate = 0; candidate < CANDIDATES; candidate++) {
    const place = draw(good, random)
    const ratio = Math.log(like(place)) - Math.log(unlike(place))
    if (ratio > best.ratio) best = { place, ratio }
  }
  return valueAt(dimension, best.place)
}

/** A normal distribution around each place, narrower the more there are, and an even one that keeps every place possible. */
function density (places: readonly number[]): (place: number) => number {
  const width = widthOf(places)
  return place => places.reduce((sum, centre) => sum + Math.exp(-0.5 * ((place - centre) / width) ** 2) / (width * Math.sqrt(2 * Math.PI)), 1) / (places.length + 1)
}

function widthOf ({ length }: readonly number[]): number {
  return Math.max(0.05, 0.5 / Math.sqrt(length + 1))
}

/** From the density over `places`; what falls outside 0…1 is drawn again at even chance. */
function draw (places: readonly number[], random: () => number): number {
  const centre = places[Math.floor(random() * (places.length + 1))]
  if (centre === undefined) return random()
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const place = centre + normal * widthOf(places)
  return place >= 0 && place < 1 ? place : random()
}
