"""Pages drawn: blocks, which know no language and no HTML, become files that a reader opens."""
