import createErrorClass from '@fastify/error'

/**
 * Every error that a client or an operator can meet, in one table: its code is the contract and never changes meaning, its message
 * says what was found and what is allowed, its status is the HTTP reply's. Broken invariants are plain `Error`s instead.
 */
const createError = createErrorClass.default ?? createErrorClass
/** Of errors that come in floods: their stack says nothing, and noting it takes time. */
const WITHOUT_STACK = false

// 400: the request is malformed

/** The body is not what its Content-Type says, or misses a required field. */
export const BadRequestError = createError<[what: string]>('SERVE_BAD_REQUEST', '%s', 400)
/** A tensor's shape, type or values do not fit the signature's input. */
export const BadTensorError = createError<[input: string, problem: string]>('SERVE_BAD_TENSOR', 'Input "%s": %s', 400)
/** The signature asked for is not one that the model has. */
export const UnknownSignatureError = createError<[signature: string, model: string, allowed: string]>(
  'SERVE_UNKNOWN_SIGNATURE', 'There is no signature "%s" in model "%s"; it has: %s', 400)
/** TensorFlow refused the input while running the model: it names the operation and the reason. */
export const ModelRejectedInputError = createError<[model: string, reason: string]>(
  'SERVE_MODEL_REJECTED_INPUT', 'Model "%s" can not run this input: %s', 400)
/** The model's task is not the route's: an image sent to a text model, say. */
export const WrongTaskError = createError<[model: string, task: string, wanted: string]>(
  'SERVE_WRONG_TASK', 'Model "%s" is for %s, this route needs %s', 400)

// 404: what was asked for is not there

export const RouteNotFoundError = createError<[method: string, path: string]>('SERVE_ROUTE_NOT_FOUND', 'There is no route %s %s', 404)
export const ModelNotFoundError = createError<[model: string, known: string]>(
  'SERVE_MODEL_NOT_FOUND', 'There is no model "%s"; there are: %s', 404)
export const VersionNotFoundError = createError<[version: number, model: string, known: string]>(
  'SERVE_VERSION_NOT_FOUND', 'Version %d of model "%s" is not served; served are: %s', 404)
/** No model of the route's task is there and none was named. */
export const NoDefaultModelError = createError<[task: string, hint: string]>(
  'SERVE_NO_DEFAULT_MODEL', 'No model was named and there is no default one for %s: %s', 404)

// 405, 408, 413, 415, 422, 431: about the method, the body and the headers

export const MethodNotAllowedError = createError<[method: string, path: string, allowed: string]>(
  'SERVE_METHOD_NOT_ALLOWED', '%s is not possible on %s; possible is: %s', 405)
/** The client took too long to send its body. */
export const RequestTimeoutError = createError<[seconds: number]>('SERVE_REQUEST_TIMEOUT', 'The request was not complete after %d s', 408)
export const BodyTooLargeError = createError<[limit: string]>('SERVE_BODY_TOO_LARGE', 'The body is larger than the %s allowed', 413)
export const TooManyPixelsError = createError<[pixels: number, limit: number]>(
  'SERVE_TOO_MANY_PIXELS', 'The image has %d pixels, allowed are %d', 413)
export const TooManyFilesError = createError<[limit: number]>('SERVE_TOO_MANY_FILES', 'More than the %d files allowed in one request', 413)
export const TooManyRowsError = createError<[rows: number, limit: number]>('SERVE_TOO_MANY_ROWS', 'The request holds %d rows, allowed are %d', 413)
export const UnsupportedMediaTypeError = createError<[found: string, allowed: string]>(
  'SERVE_UNSUPPORTED_MEDIA_TYPE', '%s can not be read here; allowed are: %s', 415)
/** The bytes are of an image format that is not read here (HEIC, SVG, PDF…), or of none. */
export const UnsupportedImageError = createError<[found: string, allowed: string]>(
  'SERVE_UNSUPPORTED_IMAGE', 'The file is %s; allowed are: %s', 415)
/** The format is known, the bytes are broken. */
export const UndecodableImageError = createError<[reason: string]>('SERVE_UNDECODABLE_IMAGE', 'The image can not be decoded: %s', 422)

export const HeadersTooLargeError = createError<[]>('SERVE_HEADERS_TOO_LARGE', 'The request line and headers are larger than is read here', 431)

// 499, 503, 504: the server's own state

/** The client hung up before the reply was ready. Seen in logs and metrics only. */
export const ClientClosedError = createError<[]>('SERVE_CLIENT_CLOSED', 'The client closed the connection', 499)
/** Before the first version of the model serves. */
export const ModelNotReadyError = createError<[model: string, reason: string]>(
  'SERVE_MODEL_NOT_READY', 'Model not loaded: "%s" %s', 503)
/** No model at all is there yet. */
export const NoModelError = createError<[reason: string]>('SERVE_NO_MODEL', 'Model not loaded: %s', 503)
/** A model's queue is full. The client should wait and try again. */
export const QueueFullError = createError<[model: string, waiting: number]>(
  'SERVE_QUEUE_FULL', 'Model "%s" already has %d requests waiting', 503, Error, WITHOUT_STACK)
/** A worker is too busy to tell its figures, so that /metrics can not speak for all of them. */
export const MetricsIncompleteError = createError<[ms: number]>('SERVE_METRICS_INCOMPLETE', 'Not every worker told its figures within %d ms; ask again', 503)
export const ShuttingDownError = createError<[]>('SERVE_SHUTTING_DOWN', 'The server is shutting down', 503)
export const DeadlineExceededError = createError<[ms: number]>('SERVE_DEADLINE_EXCEEDED', 'The request was not done within its %d ms', 504, Error, WITHOUT_STACK)

// 500: TensorFlow, models on disk, the machine

/** TensorFlow failed while it ran the model, for a reason that is not the input's. */
export const InferenceError = createError<[model: string, reason: string]>('SERVE_INFERENCE_FAILED', 'Model "%s" failed: %s', 500)
export const InternalError = createError<[]>('SERVE_INTERNAL', 'An unexpected error happened; the log has its request id', 500)

// At load and at start: never replies, but shown in /v1/models, the log and the doctor

export const LibraryNotFoundError = createError<[places: string]>(
  'TENSORFLOW_LIBRARY_NOT_FOUND', 'libtensorflow was not found. Looked at:\n%s\nRun `npm run setup`, or set LIBTENSORFLOW to the path of libtensorflow_cc.so.2', 500)
export const LibraryUnusableError = createError<[path: string, reason: string]>(
  'TENSORFLOW_LIBRARY_UNUSABLE', 'libtensorflow at %s can not be used: %s', 500)
/** A version's directory is not a SavedModel that can be served. */
export const BadSavedModelError = createError<[directory: string, reason: string]>('MODEL_BAD_SAVED_MODEL', 'SavedModel %s: %s', 500)
export const BadManifestError = createError<[path: string, reason: string]>('MODEL_BAD_MANIFEST', 'Manifest %s: %s', 500)
/** A golden input does not give its recorded output. */
export const GoldenMismatchError = createError<[problem: string]>('MODEL_GOLDEN_MISMATCH', 'A recorded input no longer gives its recorded output: %s', 500)
export const BadConfigError = createError<[problem: string]>('CONFIG_INVALID', 'Configuration: %s', 500)

// Training: shown by the command, exit code 1

export const UnknownRecipeError = createError<[recipe: string, known: string]>('TRAIN_UNKNOWN_RECIPE', 'There is no recipe "%s"; there are: %s', 400)
export const BadOptionError = createError<[problem: string]>('TRAIN_BAD_OPTION', '%s', 400)
export const DatasetError = createError<[problem: string]>('TRAIN_BAD_DATASET', '%s', 400)
/** The loss is no longer a number: nothing can be learned from here on. */
export const TrainingDivergedError = createError<[loss: number, epoch: number, step: number]>(
  'TRAIN_DIVERGED', 'The loss became %d in epoch %d, step %d. Try a smaller learning rate, or look for NaN and huge values in the data', 400)
/** A layer, or one of its options, that can not be turned into TensorFlow operations. */
export const LoweringError = createError<[layer: string, remedy: string]>('TRAIN_CANNOT_LOWER', 'Layer %s can not be lowered: %s', 400)
/** A folder of trials is another search's, or can't be read. */
export const BadStudyError = createError<[path: string, problem: string]>('TRAIN_BAD_STUDY', '%s: %s', 400)
/** No trial of a search came as far as a first figure. */
export const NothingTunedError = createError<[trials: number, reason: string]>('TRAIN_NOTHING_TUNED', 'None of %d trials gave a figure; the last: %s', 400)
/** A file of weights by others holds something that is not plain tensors. */
export const BadWeightsError = createError<[problem: string]>('TRAIN_BAD_WEIGHTS', '%s', 400)

/** What a run was to be resumed from is no checkpoint, or one of another run. */
export const BadCheckpointError = createError<[path: string, problem: string]>('TRAIN_BAD_CHECKPOINT', 'Checkpoint %s: %s', 400)

// Importing models by others: shown by the command, exit code 1

/** The file is cut short, broken, or not what its name says. */
export const BadModelFileError = createError<[path: string, problem: string]>('IMPORT_BAD_FILE', '%s: %s', 400)
/** A layer, an option or an operation that neither `tf.layers` nor TensorFlow has; never guessed at. */
export const CannotImportError = createError<[what: string, remedy: string]>('IMPORT_UNSUPPORTED', '%s can not be imported: %s', 400)

/** What an aborted wait throws: the signal's reason where it is one of our errors (a deadline, say), else that the client has gone. */
export function abortError (signal: AbortSignal): Error {
  const reason: unknown = signal.reason
  return reason instanceof Error && 'statusCode' in reason ? reason : new ClientClosedError()
}
