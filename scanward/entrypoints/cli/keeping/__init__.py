"""`scanward check` and `scanward reindex`: what is kept, held against what the catalog says."""
