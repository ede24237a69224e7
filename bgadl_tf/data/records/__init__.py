"""TFRecord files of TFDS, read where they lie."""
