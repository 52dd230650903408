/** A failure that whoever runs the set-up can do something about: the message says what was found and what to do. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError'
}
