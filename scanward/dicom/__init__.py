"""The DICOM object itself: gate, tokenizer, parser, metadata. Knows pydicom, and nothing above it."""
