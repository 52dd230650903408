"""What the servers have in common: a version's SavedModel, called as its users call it, and what its manifest says of photos and texts."""
import io
import json
import os
import pathlib
import string

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf
from PIL import Image

DIRECTORY = pathlib.Path(os.environ['MODEL_DIRECTORY'])
PUNCTUATION = str.maketrans('', '', string.punctuation)


def read_manifest():
    """A model of tensors alone has none."""
    path = DIRECTORY / 'model.json'
    return json.loads(path.read_text()) if path.exists() else {}


class ServedModel:
    def __init__(self):
        self.model = tf.saved_model.load(str(DIRECTORY))
        self.function = self.model.signatures['serving_default']
        (self.input, self.spec), = self.function.structured_input_signature[1].items()
        self.manifest = read_manifest()
        text = self.manifest.get('text')
        if text:
            words = (DIRECTORY / text['tokenizer']['vocabulary']).read_text().split('\n')
            self.numbers = {word: number for number, word in enumerate(words, 2)}

    def predict(self, rows):
        """Rows, as an array or a list of arrays, to scores: [N, classes]."""
        outputs = self.function(**{self.input: tf.constant(np.asarray(rows), self.spec.dtype)})
        return next(iter(outputs.values())).numpy()

    def pixels(self, jpeg):
        """A JPEG to uint8 [height, width, 3]; `draft` has it decoded at the smallest scale that is still large enough."""
        size = self.manifest['image']['width'], self.manifest['image']['height']
        image = Image.open(io.BytesIO(jpeg))
        image.draft('RGB', size)
        return np.asarray(image.convert('RGB').resize(size, Image.Resampling.BILINEAR))

    def tokens(self, text):
        """A text to int32 [length], padded before its first word."""
        length = self.manifest['text']['length']
        words = text.lower().translate(PUNCTUATION).split()[-length:]
        row = np.zeros(length, 'int32')
        row[length - len(words):] = [self.numbers.get(word, 1) for word in words]
        return row


def rank(scores):
    """Scores of one row to the reply of an image or text route."""
    best = int(scores.argmax())
    return {'predicted_class': best, 'confidence': float(scores[best]), 'all_probabilities': scores.tolist()}
