/** Longer reasons are cut. */
const MAX_LENGTH = 300

/**
 * What a client is told of TensorFlow's message: the reason itself, without the places in the graph, the stack of functions, the
 * machine's name and the folders of files.
 */
export function cleanReason (message: string): string {
  const reason = firstReason(message)
    .replace(/\{\{[^{}]*\}\}/g, '')
    .replace(/\[\[[^[\]]*\]\]/g, '')
    .replace(/ in binary running on \S+?\.(?= |$)/g, '.')
    .replace(/(?<=^|[\s"'(=:])\/(?:[^\s"'():;,]+\/)+(?=[^\s"'():;,/])/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  return reason.length > MAX_LENGTH ? `${reason.slice(0, MAX_LENGTH - 1)}…` : reason
}

/** With several errors TensorFlow heads a numbered list by their count; the first is the cause. */
function firstReason (message: string): string {
  const lines = message.split('\n').map(line => line.trim()).filter(line => line !== '')
  const [first = 'no reason given'] = lines
  if (!/^\d+ root error\(s\) found\.$/.test(first)) return first
  return (lines[1] ?? first).replace(/^\(\d+\) /, '').replace(/^[A-Z][A-Z_]+: /, '')
}
