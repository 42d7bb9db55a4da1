"""The import paths of the API document: one-line re-exports of `scanward`, not in the wheel."""
