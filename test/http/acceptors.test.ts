import { spawnSync } from 'node:child_process'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '../support/registry.ts'
import { newServer, noModels } from '../support/server.ts'
import { PREDICT, slowModel } from '../support/slow-model.ts'
import { listen, openConnection } from '../support/sockets.ts'

t.test('connections that came while the loop was busy are accepted in a few turns of it', async t => {
  const { app } = await newServer(t, noModels(true))
  const port = await listen(app)
  let accepted = 0
  app.server.on('connection', () => { accepted++ })
  const open = `const sockets = Array.from({ length: 60 }, () => require('node:net').connect(${port}, '127.0.0.1'))
    Promise.all(sockets.map(socket => require('node:events').once(socket, 'connect'))).then(() => process.exit(0))`
  t.equal(spawnSync(process.execPath, ['-e', open]).status, 0)
  t.equal(accepted, 0, 'the loop was busy')
  for (let turns = 0; turns < 5; turns++) await turn()
  t.equal(accepted, 60)
})

t.test('closing waits for the requests on all connections, whichever handle accepted them', async t => {
  const { models, started, finish } = slowModel()
  const { app } = await newServer(t, models)
  const port = await listen(app)
  const connections = await Promise.all(Array.from({ length: 8 }, async () => await openConnection(t, port)))
  for (const { socket } of connections) socket.write(PREDICT)
  await until('all run', () => started() === 8)
  let isClosed = false
  const closed = app.close().then(() => { isClosed = true })
  await sleep(50)
  t.notOk(isClosed)
  finish()
  for (const { untilClosed } of connections) t.match(await untilClosed(), /^HTTP\/1\.1 200 OK\r\n[^]*connection: close/)
  await closed
  await t.rejects(openConnection(t, port), { code: 'ECONNREFUSED' })
})
