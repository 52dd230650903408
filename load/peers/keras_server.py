"""The course's server (its chapter 6): FastAPI with an asynchronous route that decodes the whole photo and calls Keras's `model.predict`."""
import io
import os

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI, File, UploadFile
from fastapi.responses import JSONResponse
from PIL import Image

from served_model import DIRECTORY, read_manifest

app = FastAPI(title='Deep Learning Model API')
size = [read_manifest()['image'][side] for side in ('width', 'height')]
model = keras.Sequential([
    keras.Input((size[1], size[0], 3), dtype='uint8'),
    keras.layers.TFSMLayer(str(DIRECTORY), call_endpoint='serving_default'),
])


@app.get('/health/ready')
async def ready():
    return {'status': 'ready'}


@app.post('/predict/image')
async def predict_image(file: UploadFile = File(...)):
    contents = await file.read()
    image = Image.open(io.BytesIO(contents))
    image = np.array(image.resize(size))
    image = np.expand_dims(image, axis=0)
    predictions = next(iter(model.predict(image).values()))
    predicted_class = np.argmax(predictions[0])
    return JSONResponse({
        'predicted_class': int(predicted_class),
        'confidence': float(predictions[0][predicted_class]),
        'all_probabilities': predictions[0].tolist()
    })


uvicorn.run(app, host=os.environ['HOST'], port=int(os.environ['PORT']), log_level='warning')
