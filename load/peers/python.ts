import { pythonServer, type Peer } from './peer.ts'

/** FastAPI calling the SavedModel's function from its thread pool. */
export const fastApi: Peer = {
  name: 'FastAPI',
  prepare: async task => ({ options: await pythonServer(task, 'fastapi_server.py', 'fastapi') })
}

/** As the course ends: FastAPI and Keras's `model.predict`. Images only. */
export const course: Peer = {
  name: 'FastAPI + model.predict',
  prepare: async task => ({ options: await pythonServer(task, 'keras_server.py', 'fastapi') })
}

/** BentoML with its adaptive batching. Images only. */
export const bentoMl: Peer = {
  name: 'BentoML',
  prepare: async task => ({ options: { ...await pythonServer(task, 'bentoml_server.py', 'bentoml'), readyPath: '/readyz' } })
}
