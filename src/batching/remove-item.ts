/**
 * Takes an item out of a short list. Where requests come and go, lists stand in for sets and maps: V8 gives a set a new table when it is emptied or
 * has been filled often enough, each table points to the one after it, and the first that is old keeps all later ones, with what was in them, until the whole
 * heap is walked.
 *
 * @returns false if it was not there
 */
export function removeItem<Item> (list: Item[], item: Item): boolean {
  const place = list.indexOf(item)
  if (place === -1) return false
  list.splice(place, 1)
  return true
}
