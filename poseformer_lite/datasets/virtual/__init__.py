"""Takes seen by virtual cameras, with the errors that detectors make."""
