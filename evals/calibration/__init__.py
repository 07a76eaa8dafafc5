"""The fit of the confidence on labelled incidents."""
