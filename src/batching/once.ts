/** An action that is done the first time it is called, and never again. */
export function once (action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}
