"""The documentation site: its pages are gathered, built, and looked at as a reader opens them."""
