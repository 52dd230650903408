import t from 'tap'
import { runError } from '../../src/registry/run-error.ts'
import { cleanReason } from '../../src/registry/tensorflow-reason.ts'
import { TensorFlowError } from '../../src/tensorflow/index.ts'

t.test('keeps the first line and drops the places in the graph', async t => {
  t.equal(
    cleanReason('Matrix size-incompatible: In[0]: [1,3], In[1]: [5,1]\n\t [[{{node StatefulPartitionedCall/model/dense/MatMul}}]]'),
    'Matrix size-incompatible: In[0]: [1,3], In[1]: [5,1]')
})

t.test('takes the first cause where TensorFlow lists several', async t => {
  const message = '2 root error(s) found.\n  (0) INVALID_ARGUMENT: Incompatible shapes: [2] vs. [3]\n\t [[{{node add}}]]\n\t [[y/_3]]\n  (1) INVALID_ARGUMENT: Incompatible shapes: [2] vs. [3]\n0 successful operations.'
  t.equal(cleanReason(message), 'Incompatible shapes: [2] vs. [3]')
})

t.test('drops the stack of functions', async t => {
  t.equal(
    cleanReason('{{function_node __inference_f_12}} {{function_node __inference_g_9}} Name: <unknown>, Feature: x (data type: float) is required but could not be found.'),
    'Name: <unknown>, Feature: x (data type: float) is required but could not be found.')
})

t.test('names files without their folders', async t => {
  t.equal(cleanReason('Could not read /srv/models/m/1/assets/vocab.txt; No such file'), 'Could not read vocab.txt; No such file')
})

t.test('leaves operation names and fractions alone', async t => {
  t.equal(cleanReason('Input to model/dense/MatMul is 1/2 of 3 / 4'), 'Input to model/dense/MatMul is 1/2 of 3 / 4')
})

t.test('drops the machine’s name', async t => {
  t.equal(cleanReason('Op type not registered \'Foo\' in binary running on host-1.example.org. Make sure the Op is registered'),
    'Op type not registered \'Foo\'. Make sure the Op is registered')
})

t.test('cuts what is too long to read', async t => {
  const reason = cleanReason('x'.repeat(5000))
  t.equal(reason.length, 300)
  t.match(reason, /…$/)
})

t.test('an empty message is said to be none', async t => {
  t.equal(cleanReason(''), 'no reason given')
})

t.test('what TensorFlow calls an invalid argument is the client’s fault', async t => {
  for (const code of ['INVALID_ARGUMENT', 'OUT_OF_RANGE'] as const) {
    const cause = new TensorFlowError(code, 'bad\n[[node]]')
    t.match(runError('m', cause), { code: 'SERVE_MODEL_REJECTED_INPUT', statusCode: 400, tensorflowCode: code, cause, message: 'Model "m" can not run this input: bad' })
  }
})

t.test('everything else that TensorFlow reports is the model’s or the machine’s', async t => {
  for (const code of ['RESOURCE_EXHAUSTED', 'INTERNAL', 'UNIMPLEMENTED', 'FAILED_PRECONDITION', 'UNKNOWN'] as const) {
    t.match(runError('m', new TensorFlowError(code, 'bad')), { code: 'SERVE_INFERENCE_FAILED', statusCode: 500, tensorflowCode: code })
  }
})

t.test('errors that are not TensorFlow’s pass unchanged', async t => {
  const error = new RangeError('mine')
  t.equal(runError('m', error), error)
})
