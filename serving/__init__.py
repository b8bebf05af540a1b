"""The wire: shapes, routes, the application, the state of one debtor, and the nightly batch."""
