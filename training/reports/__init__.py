"""The managers' report: what contact decisions were worth, as static pages with their numbers beside them."""
