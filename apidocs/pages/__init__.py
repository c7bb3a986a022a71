"""The two documents as pages for people: plain HTML and one style sheet, no script, nothing from elsewhere.

Written here and not by a renderer of others: see docs/adr/0018-api-pages.md.
"""
