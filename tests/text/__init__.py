"""The text room: every module by its own test file; nothing here needs a thread, a file or a clock."""
