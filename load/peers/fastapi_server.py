"""FastAPI that calls the SavedModel's function from its thread pool, one request at a time in each thread."""
import os

import uvicorn
from fastapi import FastAPI, UploadFile
from pydantic import BaseModel

from served_model import ServedModel, rank

app = FastAPI()
model = ServedModel()


class Text(BaseModel):
    text: str


class Instances(BaseModel):
    instances: list[list[float]]


@app.get('/health/ready')
def ready():
    return {'status': 'ready'}


@app.post('/predict/image')
def predict_image(file: UploadFile):
    return rank(model.predict([model.pixels(file.file.read())])[0])


@app.post('/predict/text')
def predict_text(request: Text):
    return rank(model.predict([model.tokens(request.text)])[0])


@app.post('/v1/models/{name}:predict')
def predict(name: str, request: Instances):
    return {'predictions': model.predict(request.instances).tolist()}


uvicorn.run(app, host=os.environ['HOST'], port=int(os.environ['PORT']), log_level='warning')
