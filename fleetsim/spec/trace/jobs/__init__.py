"""Traces of training jobs: recorded jobs from public files, as one canonical Parquet file."""
