"""Trains one of the cases of cases.ts by Keras: `keras_fit.py NAME ROWS BATCH_SIZE EPOCHS POLICY` prints {"epochSeconds": […], "peakBytes": n}."""
import json
import os
import resource
import sys
import time

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ['KERAS_BACKEND'] = 'tensorflow'

import keras
import numpy as np
from keras import layers

VOCABULARY, STEPS = 10_000, 200

MODELS = {
    'mlp': (10, lambda: [
        keras.Input((784,)), layers.Dense(256, 'relu'), layers.Dropout(0.2), layers.Dense(128, 'relu'), layers.Dropout(0.2), layers.Dense(10, 'softmax', dtype='float32')]),
    'cnn': (10, lambda: [
        keras.Input((32, 32, 3)),
        layers.Conv2D(32, 3, activation='relu'), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation='relu'), layers.MaxPooling2D(2),
        layers.Conv2D(128, 3, activation='relu'), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(128, 'relu'), layers.Dropout(0.5), layers.Dense(10, 'softmax', dtype='float32')]),
    'lstm': (2, lambda: [
        keras.Input((STEPS,), dtype='int32'), layers.Embedding(VOCABULARY, 100), layers.LSTM(64), layers.Dropout(0.5),
        layers.Dense(64, 'relu'), layers.Dropout(0.5), layers.Dense(2, 'softmax', dtype='float32')]),
}


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.ends = []

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(time.perf_counter())


def main(name, rows, batch_size, epochs, policy):
    keras.config.set_dtype_policy(policy)
    classes, make_layers = MODELS[name]
    random = np.random.default_rng(1)
    model = keras.Sequential(make_layers())
    shape = (rows, *model.input_shape[1:])
    x = random.integers(0, VOCABULARY, shape, dtype='int32') if name == 'lstm' else random.random(shape, dtype='float32')
    y = random.integers(0, classes, rows, dtype='int32')
    model.compile(optimizer=keras.optimizers.Adam(0.001), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    clock = Clock()
    model.fit(x, y, epochs=epochs + 1, batch_size=batch_size, verbose=0, callbacks=[clock])
    seconds = [end - start for start, end in zip(clock.ends, clock.ends[1:])]
    print(json.dumps({'epochSeconds': seconds, 'peakBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


main(sys.argv[1], *map(int, sys.argv[2:5]), sys.argv[5])
