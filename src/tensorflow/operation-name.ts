/** The operation behind `^name`, a control input, or `name:1`, an output; in a function's body `name:output:1`, or an argument's own name. */
export function operationName (input: string): string {
  return input.slice(input.startsWith('^') ? 1 : 0).split(':', 1)[0]!
}
