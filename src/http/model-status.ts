import type { Manifest } from '../registry/manifest.ts'
import type { ModelVersion, VersionStatus } from '../registry/model-version.ts'
import type { ModelStatus } from '../registry/served-model.ts'
import { dtypeName } from './dtype-name.ts'
import type { Signature, TensorInfo } from '../tensorflow/index.ts'

/** tensorport's states in TensorFlow Serving's words. @see tensorflow_serving/apis/get_model_status.proto */
const SERVING_STATES: Readonly<Record<VersionStatus['state'], string>> = {
  start: 'START',
  loading: 'LOADING',
  warming: 'LOADING',
  available: 'AVAILABLE',
  draining: 'UNLOADING',
  ended: 'END',
  failed: 'END'
}

/** TensorFlow Serving's status of a model, and what tensorport knows beyond it. */
export function statusReply (status: ModelStatus, versions: readonly VersionStatus[] = status.versions): object {
  return {
    model_version_status: versions.map(({ version, state, error }) => ({
      version: String(version),
      state: SERVING_STATES[state],
      status: { error_code: error === undefined ? 'OK' : 'UNKNOWN', error_message: error?.message ?? '' }
    })),
    ...status,
    versions
  }
}

/** TensorFlow Serving's metadata of a version, and its manifest without what only its makers need. */
export function metadataReply ({ model, version, signatures, manifest }: ModelVersion): object {
  const signatureDef = Object.fromEntries(Object.entries(signatures).map(([name, signature]) => [name, signatureReply(signature)]))
  return {
    model_spec: { name: model, signature_name: '', version: String(version) },
    metadata: { signature_def: { '@type': 'type.googleapis.com/tensorflow.serving.SignatureDefMap', signature_def: signatureDef } },
    manifest: manifestReply(manifest)
  }
}

function signatureReply ({ inputs, outputs, method }: Signature): object {
  return { inputs: tensorsReply(inputs), outputs: tensorsReply(outputs), method_name: method }
}

function tensorsReply (tensors: Readonly<Record<string, TensorInfo>>): object {
  return Object.fromEntries(Object.entries(tensors).map(([key, { dtype, shape, tensorName }]) => [key, {
    dtype: dtypeName(dtype),
    tensor_shape: { dim: (shape ?? []).map(side => ({ size: String(side), name: '' })), unknown_rank: shape === undefined },
    name: tensorName
  }]))
}

/** Without the golden inputs and the files' hashes: those are for whoever holds the files. */
function manifestReply ({ golden: _golden, files: _files, ...rest }: Manifest): object {
  return rest
}
