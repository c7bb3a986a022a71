"""What the contract looks like to those who use it: writes docs/openapi.yaml, docs/asyncapi.yaml and their pages.

Routes, events, subjects and types are found in the code; what they mean is said in `words/`, once each. A route, an
event or a message that nobody has described is an error. `python -m apidocs` writes the files again;
tests/contract/test_apidocs.py fails while they say something else than the code, and
tests/integration/test_described.py while the running system does something else than they say.
"""
