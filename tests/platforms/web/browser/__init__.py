"""The page in a real browser: Debian's Chromium and Selenium. Marked `browser`, run by the environment `page`."""
