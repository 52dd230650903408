import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeColourClassifier, writeHalfPlusTwo } from '../support/saved-models.ts'
import { untilState } from '../support/registry.ts'
import { noModels, newServer, serveFolder } from '../support/server.ts'

interface Status {
  model_version_status: { version: string, state: string, status: { error_code: string, error_message: string } }[]
  name: string
  task: string
  versions: { version: number, state: string, error?: { code: string } }[]
}

t.test('what is served', async t => {
  const directory = t.testdir()
  await writeHalfPlusTwo(join(directory, 'half', '00000002'))
  await writeColourClassifier(join(directory, 'colours', '1'))
  await mkdir(join(directory, 'half', '3'))
  await writeFile(join(directory, 'half', '3', 'saved_model.pb'), 'broken')
  const { app, models } = await serveFolder(t, directory)
  await untilState(models, 'half', 3, 'failed')
  await untilState(models, 'half', 2, 'available')

  t.test('GET /v1/models lists every model with its versions', async t => {
    const reply = (await app.inject('/v1/models')).json<{ models: Status[] }>()
    t.strictSame(reply.models.map(({ name, task }) => ({ name, task })), [{ name: 'colours', task: 'image-classification' }, { name: 'half', task: 'tensor' }])
  })

  t.test('a model’s status is TensorFlow Serving’s, and says why a version failed', async t => {
    const reply = (await app.inject('/v1/models/half')).json<Status>()
    const message = reply.model_version_status[0]?.status.error_message ?? ''
    t.match(message, /SavedModel/)
    t.strictSame(reply.model_version_status, [
      { version: '3', state: 'END', status: { error_code: 'UNKNOWN', error_message: message } },
      { version: '2', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }
    ])
    t.strictSame(reply.versions.map(({ version, state, error }) => ({ version, state, code: error?.code })), [
      { version: 3, state: 'failed', code: 'MODEL_BAD_SAVED_MODEL' }, { version: 2, state: 'available', code: undefined }
    ])
  })

  t.test('one version’s status holds that version alone', async t => {
    const reply = (await app.inject('/v1/models/half/versions/2')).json<Status>()
    t.strictSame(reply.model_version_status.map(({ version }) => version), ['2'])
    t.match((await app.inject('/v1/models/half/versions/9')).json(), { code: 'SERVE_VERSION_NOT_FOUND', error: /3, 2/ })
    t.equal((await app.inject('/v1/models/half/versions/x')).statusCode, 400)
  })

  t.test('metadata describes the signatures as TensorFlow Serving does, and the manifest', async t => {
    for (const url of ['/v1/models/half/metadata', '/v1/models/half/versions/2/metadata']) {
      t.strictSame((await app.inject(url)).json(), {
        model_spec: { name: 'half', signature_name: '', version: '2' },
        metadata: {
          signature_def: {
            '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap',
            signature_def: {
              serving_default: {
                inputs: { x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false }, name: 'x:0' } },
                outputs: { y: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false }, name: 'y:0' } },
                method_name: 'tensorflow/serving/predict'
              }
            }
          }
        },
        manifest: { format: 1, task: 'tensor', signature: 'serving_default' }
      })
    }
    t.equal((await app.inject('/v1/models/half/versions/3/metadata')).statusCode, 404, 'a version that failed has none')
  })

  t.test('a model that is not there is 404 and the others are named', async t => {
    for (const url of ['/v1/models/nobody', '/v1/models/nobody/metadata', '/v1/models/nobody/versions/1']) {
      t.match((await app.inject(url)).json(), { code: 'SERVE_MODEL_NOT_FOUND', error: /colours, half/ })
    }
    t.match((await app.inject('/v1/models/half/labels/stable')).json(), { code: 'SERVE_BAD_REQUEST' })
  })

  t.test('readiness and metrics tell of the same', async t => {
    t.strictSame((await app.inject('/health/ready')).json(), { status: 'ready' })
    await app.inject({ method: 'POST', url: '/v1/models/half:predict', payload: '{"instances":[1,2,3]}' })
    const reply = await app.inject('/metrics')
    t.match(reply.headers['content-type'], /^text\/plain; version=0\.0\.4/)
    for (const line of [
      'tensorport_versions{model="half",state="available"} 1',
      'tensorport_versions{model="half",state="failed"} 1',
      'tensorport_queue_requests{model="half"} 0',
      'tensorport_runs_in_flight{model="colours"} 0',
      'tensorport_pending_decodes 0',
      'tensorport_rows_total{model="half"} 3',
      'tensorport_phase_duration_seconds_count{phase="infer",model="half"} 1',
      'tensorport_phase_duration_seconds_count{phase="queue",model="half"} 1',
      'tensorport_requests_total{route="/v1/models/:model",method="POST",status="200"} 1',
      'tensorport_request_duration_seconds_count{route="/v1/models/:model/metadata"} 2'
    ]) t.ok(reply.body.includes(`${line}\n`), line)
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes']) t.match(reply.body, new RegExp(`^${name} \\d`, 'm'))
  })
})

t.test('before models are loaded the server is alive and not ready', async t => {
  const { app } = await newServer(t, noModels(false))
  t.strictSame((await app.inject('/health/live')).json(), { status: 'live' })
  const ready = await app.inject('/health/ready')
  t.equal(ready.statusCode, 503)
  t.equal(ready.headers['retry-after'], '1')
  t.match(ready.json(), { error: /^Model not loaded/, code: 'SERVE_NO_MODEL' })
})

t.test('two servers of one process count apart', async t => {
  const [one, two] = await Promise.all([newServer(t, noModels(true)), newServer(t, noModels(true))])
  await one.app.inject('/')
  t.match((await one.app.inject('/metrics')).body, /tensorport_requests_total\{route="\/"/)
  t.notMatch((await two.app.inject('/metrics')).body, /tensorport_requests_total\{route="\/"/)
})
