"""The HTTP door: FastAPI behind one policy layer; knows wiring, the pipeline and the ports."""
