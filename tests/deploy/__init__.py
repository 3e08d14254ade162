"""The files in conf/ that run openab-sync for real, held against the tools that read them."""
