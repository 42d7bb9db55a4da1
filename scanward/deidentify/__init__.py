"""Takes the patient out of an object, PS3.15 Annex E; knows the object and its own tables, no other stage.

The policy is data (`data/`): Table E.1-1 by edition, profiles, pixel risks, clinical terms. Two engines
carry it out: the byte path (`engine`) and the pydicom path (`datasetpath`).
"""
