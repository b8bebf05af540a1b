"""Tests in a real browser: they need Debian's chromium and minutes, so only `make test-pages` runs them."""

import os

if os.environ.get("RETTID_PAGES"):
    from tests.pages.browsing import browser as browser
    from tests.pages.browsing import written as written
else:
    collect_ignore_glob = ["*.py"]
