// Loaded into a server whose memory is measured: SIGUSR2 has its garbage collected, which V8 else leaves lying until it needs the room.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
/** @type {() => void} */
const collect = runInNewContext('gc')
process.on('SIGUSR2', () => {
  collect()
  collect() // what the first one had finalized
})
