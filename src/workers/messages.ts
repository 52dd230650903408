import type { Registry } from 'prom-client'

/** Every metric of one process with its values, as prom-client adds them up. */
export type Figures = Awaited<ReturnType<Registry['getMetricsAsJSON']>>

/** What a worker tells the primary. */
export type WorkerMessage =
  /** TensorFlow is there, and it listens. */
  | { readonly kind: 'serving' }
  /** A model runs on a GPU. */
  | { readonly kind: 'gpu' }
  /** It was asked for /metrics and wants everybody's figures. */
  | { readonly kind: 'figures-wanted', readonly id: number }
  /** Its own figures, for the worker that wants them. */
  | { readonly kind: 'figures', readonly id: number, readonly figures: Figures }

/** What the primary tells a worker. */
export type PrimaryMessage =
  | { readonly kind: 'tell-figures', readonly id: number }
  /** Of every worker that serves. */
  | { readonly kind: 'all-figures', readonly id: number, readonly all: readonly Figures[] }
